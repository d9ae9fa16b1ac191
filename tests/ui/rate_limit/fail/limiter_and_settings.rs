// A limiter from elsewhere has its own settings.
use std::time::Duration;

use resilience::{RateLimiter, rate_limit};

static SHARED: RateLimiter = RateLimiter::new(10, Duration::from_secs(1));

#[rate_limit(limiter = &SHARED, rate = 5, burst = 2)]
fn call() -> Result<(), ()> {
    Err(())
}

fn main() {
    let _ = call();
}
