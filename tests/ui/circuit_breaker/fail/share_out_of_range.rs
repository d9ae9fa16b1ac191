// A share is above 0 and at most 1.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0, slow_call = "2s", slow_rate = 150.0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
