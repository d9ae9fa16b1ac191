// `on_ok` takes the value by reference.
use resilience::{Rejected, circuit_breaker};

fn is_busy(error: &Rejected) -> bool {
    error.retry_after().is_some()
}

#[circuit_breaker(on_ok = is_busy)]
fn call() -> Result<u16, Rejected> {
    Ok(503)
}

fn main() {
    let _ = call();
}
