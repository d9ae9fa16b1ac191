//! A deadline outside ends the wait for a turn.

use std::time::Duration;

use resilience::{RateLimiter, Rejected, RejectedKind, rate_limit, retry, testing, timeout};
use tokio::time::Instant;

use crate::{SECOND, ms};

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

/// The turns of the calls fall on the deadlines of the calls.
#[tokio::test(start_paused = true)]
async fn a_turn_at_the_deadline_goes_to_the_next_call() {
    #[timeout("1s")]
    #[retry(on_rejection = "wait")]
    #[rate_limit(rate = 10)]
    async fn in_place_of_a_rejection(_: u32) -> Result<(), Rejected> {
        Ok(())
    }
    #[timeout("1s")]
    #[retry]
    #[rate_limit(rate = 10, wait = "unlimited")]
    async fn unlimited(_: u32) -> Result<(), Rejected> {
        Ok(())
    }
    #[timeout("1s")]
    #[retry(on_rejection = "wait")]
    #[rate_limit(rate = 20, cost = 2, burst = 2, key = user)]
    async fn with_a_key(user: u32) -> Result<(), Rejected> {
        Ok(())
    }
    macro_rules! served {
        ($call:ident) => {{
            let mut tasks = Vec::new();
            for _ in 0..600 {
                tasks.push(tokio::spawn($call(7)));
                tokio::time::sleep(ms(50)).await;
            }
            let mut served = 0;
            for task in tasks {
                served += usize::from(task.await.expect("no panic").is_ok());
            }
            served
        }};
    }
    for served in [served!(in_place_of_a_rejection), served!(unlimited), served!(with_a_key)] {
        // 30 s at 10 a second.
        assert!((290..=311).contains(&served), "{served} of 310");
    }
}
