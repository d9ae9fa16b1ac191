// A `const fn` has no clock.
use resilience::fallback;

#[fallback(value = ())]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
