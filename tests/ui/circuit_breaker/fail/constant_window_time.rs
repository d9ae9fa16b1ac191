// A constant window of no time.
use std::time::Duration;

use resilience::circuit_breaker;

const NONE: Duration = Duration::ZERO;

#[circuit_breaker(failure_rate = 0.5, window = NONE)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
