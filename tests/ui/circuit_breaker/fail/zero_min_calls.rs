// No rate counts from no calls.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, min_calls = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
