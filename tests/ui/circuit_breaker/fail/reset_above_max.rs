// The open time grows up to its maximum.
use resilience::circuit_breaker;

#[circuit_breaker(reset_timeout = "1m", max_reset_timeout = "30s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
