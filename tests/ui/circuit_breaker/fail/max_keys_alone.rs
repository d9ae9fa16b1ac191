// A limit of keys needs a key.
use resilience::circuit_breaker;

#[circuit_breaker(max_keys = 100)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
