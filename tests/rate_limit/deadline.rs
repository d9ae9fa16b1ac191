//! A deadline outside ends the wait for a turn.

use std::time::Duration;

use resilience::{RateLimiter, Rejected, RejectedKind, rate_limit, retry, testing};
use tokio::time::Instant;

use crate::SECOND;

#[tokio::test(start_paused = true)]
async fn a_turn_after_the_deadline_is_rejected_at_once() {
    #[retry(attempts = 3, deadline = "5s")]
    #[rate_limit(rate = 1, per = "60s", wait = "2m")]
    async fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let start = Instant::now();
    assert_eq!(call().await, Ok(()));
    let rejected = call().await.expect_err("the turn is after the deadline");
    assert_eq!(rejected.kind(), RejectedKind::RateLimited);
    assert_eq!(rejected.retry_after(), Some(60 * SECOND));
    assert_eq!(start.elapsed(), Duration::ZERO, "no wait that is useless");
    tokio::time::sleep(56 * SECOND).await;
    assert_eq!(call().await, Ok(()));
    assert_eq!(start.elapsed(), 60 * SECOND);
}

#[test]
fn the_same_for_a_sync_function_and_a_limiter_made_by_hand() {
    static LIMITER: RateLimiter =
        RateLimiter::new(1, Duration::from_secs(60)).wait(Duration::from_secs(120));
    #[retry(attempts = 3, deadline = "5s")]
    #[rate_limit(limiter = LIMITER, cost = 1)]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let clock = testing::clock();
    assert_eq!(call(), Ok(()));
    assert!(call().is_err());
    assert_eq!(clock.elapsed(), Duration::ZERO);
    clock.advance(56 * SECOND);
    assert_eq!(call(), Ok(()));
    assert_eq!(clock.elapsed(), 60 * SECOND);
}
