// A table of no keys.
use resilience::circuit_breaker;

#[circuit_breaker(key = id, max_keys = 0)]
fn call(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

fn main() {
    let _ = call(1);
}
