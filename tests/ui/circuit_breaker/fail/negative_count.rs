// A count is not negative.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = -1)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
