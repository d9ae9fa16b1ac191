//! `shared` without a synchronization task, as a local limiter with the whole rate, and with leased
//! shares.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use resilience::{RateLimiter, Rejected, rate_limit, testing};
use resilience_core::__internal::{RateShare, ShareTerms, WHOLE_SHARE, now};
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

/// Leases half of the rate for a time, and `afterwards` billionths from then on.
fn lease_half(limiter: &RateLimiter, time: Duration, afterwards: u32) -> Arc<RateShare> {
    let share = limiter.claim_share().expect("no synchronization has the share");
    share.apply(ShareTerms { share: WHOLE_SHARE / 2, end: now().plus(time), afterwards });
    share
}

/// A timer by the clock of the share would end too early, and wake the call for nothing.
#[tokio::test(start_paused = true)]
async fn a_waiting_call_wakes_once_and_at_the_turn_of_the_share() {
    let limiter = RateLimiter::new(1, SECOND).wait(60 * SECOND).shared("turn");
    lease_half(&limiter, 60 * SECOND, 0);
    limiter.try_acquire().expect("the first");
    let (start, mut polls) = (Instant::now(), 0);
    let mut call = pin!(limiter.acquire());
    let outcome = poll_fn(|cx| {
        polls += 1;
        call.as_mut().poll(cx)
    });
    assert_eq!(outcome.await, Ok(()));
    assert_eq!((start.elapsed(), polls), (2 * SECOND, 2));
}

/// A late call keeps the turns of the last 10 ms. With half of the rate these are five turns.
#[tokio::test(start_paused = true)]
async fn a_late_call_keeps_the_turns_of_a_real_time() {
    for (late, turns) in [(9, 4), (15, 1)] {
        let limiter = RateLimiter::new(1000, SECOND).wait(SECOND).shared("kept turns");
        lease_half(&limiter, 60 * SECOND, 0);
        limiter.try_acquire().expect("the first");
        let mut call = Box::pin(limiter.acquire());
        assert!(futures::poll!(&mut call).is_pending());
        tokio::time::advance(ms(2 + late)).await;
        assert_eq!(futures::poll!(&mut call), std::task::Poll::Ready(Ok(())));
        let mut admitted = 0;
        while futures::poll!(Box::pin(limiter.acquire())).is_ready() {
            admitted += 1;
        }
        assert_eq!(admitted, turns, "{late} ms");
    }
}

#[test]
fn times_of_a_share_are_real_times() {
    let clock = testing::clock();
    let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(3 * SECOND).shared("real times"));
    lease_half(&limiter, 3 * SECOND, WHOLE_SHARE);
    limiter.try_acquire().expect("the first");
    assert_eq!(left(limiter.try_acquire()), Some(2 * SECOND));
    let reservation = limiter.reserve().expect("a permit in time");
    assert_eq!(reservation.delay(), 2 * SECOND);
    // A second at half of the rate, and half a second at the whole rate.
    assert_eq!(left(limiter.try_acquire()), Some(ms(3500)));
    assert_eq!(left(limiter.acquire_blocking()), Some(ms(3500)), "later than the longest wait");
    drop(reservation);
    limiter.acquire_blocking().expect("a permit in time");
    assert_eq!(clock.elapsed(), 2 * SECOND);
}

#[test]
fn without_a_share_after_the_lease_the_time_of_a_permit_is_unknown() {
    let clock = testing::clock();
    let limiter = RateLimiter::new(1, SECOND).wait(Duration::MAX).shared("no share");
    lease_half(&limiter, SECOND, 0);
    limiter.try_acquire().expect("the first");
    assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), None);
    clock.advance(60 * SECOND);
    assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), None);
}

#[test]
fn a_share_has_a_part_of_the_burst() {
    let clock = testing::clock();
    let limiter = RateLimiter::new(1, SECOND).burst(10).shared("part of a burst");
    lease_half(&limiter, 100 * SECOND, 0);
    clock.advance(90 * SECOND);
    assert_eq!(limiter.available(), 5);
}

/// A quarter of the interval passes in half a second, and the rest at the whole rate.
#[tokio::test(start_paused = true)]
async fn a_larger_share_wakes_a_sleeping_call_for_its_new_turn() {
    let limiter = Arc::new(RateLimiter::new(1, SECOND).wait(60 * SECOND).shared("larger"));
    let share = lease_half(&limiter, 60 * SECOND, 0);
    limiter.try_acquire().expect("the first");
    let start = Instant::now();
    let task = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { limiter.acquire().await.map(|()| start.elapsed()) }
    });
    tokio::time::sleep(ms(500)).await;
    let end = now().plus(60 * SECOND);
    share.apply(ShareTerms { share: WHOLE_SHARE, end, afterwards: 0 });
    assert_eq!(task.await.expect("no panic"), Ok(ms(1250)));
}
