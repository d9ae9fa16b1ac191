// A share given for a count.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 0.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
