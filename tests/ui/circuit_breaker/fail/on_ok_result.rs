// `on_ok` answers with a class.
use resilience::{Rejected, circuit_breaker};

#[circuit_breaker(on_ok = |status| *status)]
fn call() -> Result<u16, Rejected> {
    Ok(503)
}

fn main() {
    let _ = call();
}
