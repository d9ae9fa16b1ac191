//! Limits that look dead at first sight, and act.

use std::time::Duration;

use resilience::{RateLimiter, Rejected, rate_limit, retry, timeout};

static LIMITER: RateLimiter = RateLimiter::new(10, Duration::from_secs(1)).burst(10);

/// The wait is as long as the time until the permits are free.
///
/// # Errors
/// Never.
#[rate_limit(rate = 2, burst = 4, cost = 8, wait = "2s")]
pub async fn cost_with_a_wait() -> Result<(), Rejected> {
    Ok(())
}

/// Waits as long as necessary.
#[rate_limit(rate = 10, cost = 5, wait = "unlimited")]
pub async fn cost_without_a_limit() {}

/// The limiter has a burst of its own.
///
/// # Errors
/// Never.
#[rate_limit(limiter = &LIMITER, cost = 5)]
pub async fn cost_of_a_limiter() -> Result<(), Rejected> {
    Ok(())
}

/// The settings of a key have a burst of their own.
///
/// # Errors
/// Never.
#[rate_limit(rate = 10, cost = 5, key = id, settings = |limiter| limiter.burst(10))]
pub async fn cost_of_a_key(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// Pays after the call.
///
/// # Errors
/// Never.
#[rate_limit(rate = 10, cost = 0, settle = |_| 5)]
pub async fn cost_known_at_the_end() -> Result<(), Rejected> {
    Ok(())
}

/// The outer timeout limits all attempts.
///
/// # Errors
/// Never.
#[timeout("10s")]
#[retry]
#[timeout("5s")]
pub async fn timeout_of_attempts() -> Result<(), Rejected> {
    Ok(())
}

/// The outer timeout limits the wait as well.
///
/// # Errors
/// Never.
#[timeout("10s")]
#[rate_limit(rate = 1, wait = "9s")]
#[timeout("5s")]
pub async fn timeout_of_a_wait() -> Result<(), Rejected> {
    Ok(())
}

/// The inner timeout may be longer or shorter.
///
/// # Errors
/// Never.
#[timeout("10s")]
#[timeout(limit)]
pub async fn timeout_at_run_time(limit: Duration) -> Result<(), Rejected> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ready;

    #[test]
    fn each_call_is_admitted() {
        assert_eq!(ready(super::cost_of_a_limiter()), Ok(()));
        assert_eq!(ready(super::cost_of_a_key(7)), Ok(7));
        assert_eq!(ready(super::cost_known_at_the_end()), Ok(()));
    }
}
