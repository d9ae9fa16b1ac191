// The rules hold for constants, in the same words.
use resilience::circuit_breaker;

const NONE: u32 = 0;

#[circuit_breaker(failure_threshold = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
