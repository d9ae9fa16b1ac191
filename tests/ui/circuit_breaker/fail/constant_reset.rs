// A constant open time above its maximum.
use std::time::Duration;

use resilience::circuit_breaker;

const LONG: Duration = Duration::from_secs(60);

#[circuit_breaker(reset_timeout = LONG, max_reset_timeout = "30s")]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
