// One from elsewhere is not one for each key.
use std::time::Duration;

use resilience::{RateLimiter, rate_limit};

static SHARED: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));

#[rate_limit(limiter = &SHARED, key = 5)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
