// A constant maximum below the default open time.
use std::time::Duration;

use resilience::circuit_breaker;

const SHORT: Duration = Duration::from_secs(10);

#[circuit_breaker(max_reset_timeout = SHORT)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
