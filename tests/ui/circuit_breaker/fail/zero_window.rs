// A window that holds nothing.
use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = 0)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
