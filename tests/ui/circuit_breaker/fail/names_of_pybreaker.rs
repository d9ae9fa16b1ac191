// The names that `pybreaker` and `tokio-retry` users know.
use resilience::circuit_breaker;

#[circuit_breaker(fail_max = 3, recovery_timeout = 60, exclude = [ValueError])]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
