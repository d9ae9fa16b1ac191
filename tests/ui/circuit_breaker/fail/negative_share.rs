// A share is not negative.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = -0.5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
