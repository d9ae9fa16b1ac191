// A key is hashed.
use resilience::circuit_breaker;

#[circuit_breaker(key = id)]
fn call(id: f64) -> Result<(), ()> {
    Err(drop(id))
}

fn main() {
    let _ = call(1.0);
}
