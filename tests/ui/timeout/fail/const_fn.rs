// A `const fn` has no clock.
use resilience::timeout;

#[timeout("5s")]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
