// The table of the keys is one, too.
use resilience::circuit_breaker;

#[circuit_breaker(key = id, max_keys = N)]
fn call<const N: u32>(id: u32) -> Result<(), ()> {
    Err(drop(id))
}

fn main() {
    let _ = call::<3>(1);
}
