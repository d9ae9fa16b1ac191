// A `const fn` has no clock.
use resilience::circuit_breaker;

#[circuit_breaker]
const fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
