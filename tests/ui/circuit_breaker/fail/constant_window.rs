// A constant window that holds nothing.
use resilience::circuit_breaker;

const NONE: u32 = 0;

#[circuit_breaker(failure_rate = 0.5, window = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
