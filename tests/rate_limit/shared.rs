//! `shared` without a synchronization task: a local limiter with the whole rate.

use std::sync::Arc;
use std::time::Duration;

use resilience::{RateLimiter, Rejected, rate_limit, testing};
use tokio::time::Instant;

use crate::{SECOND, left, ms};

#[rate_limit(rate = 10, burst = 3, wait = "100ms", shared = "partner-api")]
async fn call() -> Result<(), Rejected> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn without_a_task_a_shared_limiter_has_the_whole_rate_and_burst() {
    let _state = testing::fresh_state();
    let start = Instant::now();
    for expected in [0, 0, 0, 100, 200, 300] {
        call().await.expect("a permit in time");
        assert_eq!(start.elapsed(), ms(expected));
    }
}

#[test]
fn costs_and_reservations_of_a_shared_limiter() {
    let clock = testing::clock();
    let limiter = Arc::new(RateLimiter::new(10, SECOND).burst(10).wait(SECOND).shared("costs"));
    assert_eq!(limiter.available(), 10);
    limiter.try_acquire_many(9).expect("a burst");
    limiter.settle(9, 4);
    assert_eq!(limiter.available(), 6);
    limiter.try_acquire_many(6).expect("the rest");
    assert_eq!(left(limiter.try_acquire()), Some(ms(100)));
    let reservation = limiter.reserve().expect("a permit in time");
    assert_eq!(reservation.delay(), ms(100));
    drop(reservation);
    limiter.reserve().expect("the returned permit").wait_blocking();
    assert_eq!(clock.elapsed(), ms(100));
    assert_eq!(limiter.try_acquire_many(11).unwrap_err().retry_after(), None);
}

#[test]
fn a_fresh_state_of_a_shared_limiter_is_apart() {
    #[rate_limit(rate = 1, per = "1h", shared = "fresh")]
    fn rare() -> Option<()> {
        Some(())
    }
    for _ in 0..2 {
        let _state = testing::fresh_state();
        assert_eq!((rare(), rare()), (Some(()), None));
    }
}

#[test]
fn a_shared_limiter_in_shadow_mode_counts() {
    let limiter = RateLimiter::new(1, Duration::from_secs(3600)).shared("shadow").shadow();
    assert!((0..3).all(|_| limiter.try_acquire().is_ok()));
    assert_eq!(limiter.shadow_rejections(), 2);
}
