// The maximum is below the default open time.
use resilience::circuit_breaker;

#[circuit_breaker(max_reset_timeout = "10s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
