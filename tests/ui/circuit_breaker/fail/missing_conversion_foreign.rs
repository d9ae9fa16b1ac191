// The error type of another crate.
use resilience::circuit_breaker;

#[circuit_breaker]
fn call() -> Result<(), String> {
    Err(String::new())
}

fn main() {
    let _ = call();
}
