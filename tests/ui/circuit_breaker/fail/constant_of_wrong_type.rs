// A constant of another type.
use resilience::circuit_breaker;

const LIMIT: usize = 5;

#[circuit_breaker(failure_threshold = LIMIT)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
