// A `const fn` has no clock.
use resilience::rate_limit;

#[rate_limit(rate = 10)]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
