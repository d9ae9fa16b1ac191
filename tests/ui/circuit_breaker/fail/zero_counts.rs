// Counts of zero, each in the words of its rule.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 0, success_threshold = 0, half_open_calls = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
