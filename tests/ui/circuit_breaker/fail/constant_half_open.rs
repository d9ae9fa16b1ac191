// A single probe by a constant, and no probe at all.
use resilience::circuit_breaker;

const NONE: u32 = 0;

#[circuit_breaker(half_open_calls = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
