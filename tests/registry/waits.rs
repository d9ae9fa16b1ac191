//! The waits for permits.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use resilience::{Bulkhead, RateLimiter, policies, register, testing};

use crate::policy;

#[test]
fn a_bulkhead_counts_waits_and_what_ended_them() {
    static POOL: Bulkhead = Bulkhead::new(1).wait(Duration::from_secs(5)).name("waits::pool");
    let _ = policies();
    let clock = testing::clock();
    let mut cx = Context::from_waker(Waker::noop());
    let permit = POOL.try_acquire().expect("a permit");
    let mut cancelled = Box::pin(POOL.acquire());
    assert!(cancelled.as_mut().poll(&mut cx).is_pending());
    drop(cancelled);
    assert!(POOL.acquire_blocking().is_err());
    let mut waiting = pin!(POOL.acquire());
    // The wait of a virtual clock ends at once, so the permit is returned first.
    drop(permit);
    assert!(waiting.as_mut().poll(&mut cx).is_ready());
    let report = policy("waits::pool");
    assert_eq!(report.count("resilience.calls", &["admitted"]), 2);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 1);
    assert_eq!(report.count("resilience.calls", &["cancelled"]), 1);
    assert_eq!(report.count("resilience.waits", &[]), 2);
    let waited = Duration::from_nanos(report.count("resilience.wait.time", &[]));
    assert_eq!(waited, clock.elapsed());
    drop(report);
}

#[test]
fn a_rate_limit_counts_waits_and_rejections() {
    let limiter = RateLimiter::new(1, Duration::from_secs(1))
        .wait(Duration::from_secs(1))
        .name("waits::rate");
    let _ = policies();
    let clock = testing::clock();
    for _ in 0..3 {
        limiter.acquire_blocking().expect("a permit");
    }
    let reservation = limiter.reserve().expect("a permit in a second");
    assert!(limiter.reserve().is_err());
    drop(reservation);
    let report = policy("waits::rate");
    assert_eq!(report.count("resilience.calls", &["admitted"]), 4);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 1);
    assert_eq!(report.count("resilience.waits", &[]), 2);
    assert_eq!(report.count("resilience.wait.time", &[]), 2_000_000_000);
    assert_eq!(clock.elapsed(), Duration::from_secs(2));
}

#[test]
fn the_calls_that_wait_for_a_turn_are_a_gauge() {
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_secs(3600))
        .wait(Duration::from_secs(99 * 3600))
        .name("waits::turns");
    register(&LIMITER);
    let mut cx = Context::from_waker(Waker::noop());
    let waiting = || policy("waits::turns").gauge("resilience.rate_limit.queued");
    {
        // The clock stands still, so a call starts before the turn.
        let _guard = testing::no_waits();
        (0..3).for_each(|_| LIMITER.acquire_blocking().expect("a permit"));
    }
    assert_eq!(waiting(), Some(0));
    let _clock = testing::clock();
    let mut call = Box::pin(LIMITER.acquire());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert_eq!(waiting(), Some(1));
    drop(call);
    assert_eq!(waiting(), Some(0));
}

#[test]
fn a_call_that_waits_and_is_assigned_a_permit_is_admitted_once() {
    let pool = Bulkhead::new(1).queue(1).name("waits::assigned");
    let _ = policies();
    let mut cx = Context::from_waker(Waker::noop());
    let permit = pool.try_acquire().expect("a permit");
    let mut waiting = pin!(pool.acquire());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert!(pool.try_acquire().is_err());
    drop(permit);
    assert!(waiting.as_mut().poll(&mut cx).is_ready());
    let report = policy("waits::assigned");
    assert_eq!(report.count("resilience.calls", &["admitted"]), 2);
    assert_eq!(report.count("resilience.calls", &["rejected"]), 1);
    assert_eq!(report.count("resilience.waits", &[]), 1);
}
