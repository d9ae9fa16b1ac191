// One state for all instances cannot depend on which it is.
use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = N)]
fn call<const N: u32>() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call::<3>();
}
