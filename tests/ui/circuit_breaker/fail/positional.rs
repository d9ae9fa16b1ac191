// A value without a key.
use resilience::circuit_breaker;

#[circuit_breaker(5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
