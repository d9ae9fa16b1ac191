// A key alone says nothing.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold, reset_timeout = "1s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
