// A key stands once.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 5, reset_timeout = "1s", failure_threshold = 6)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
