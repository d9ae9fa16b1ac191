//! The rate: bursts, spacing, and saved permits.

use resilience::{RateLimiter, testing};

use crate::{SECOND, drain, left, ms, ns};

#[test]
fn a_burst_and_then_single_calls() {
    let limiter = RateLimiter::new(10, SECOND).burst(3);
    let clock = testing::clock();
    assert_eq!((limiter.available(), drain(&limiter), limiter.available()), (3, 3, 0));
    for _ in 0..20 {
        assert_eq!(left(limiter.try_acquire()), Some(ms(100)));
        clock.advance(ns(99_999_999));
        assert_eq!(left(limiter.try_acquire()), Some(ns(1)));
        clock.advance(ns(1));
        assert_eq!((limiter.available(), drain(&limiter)), (1, 1));
    }
    // Half a rest saves half a burst; a long rest saves one burst at most.
    clock.advance(ms(299));
    assert_eq!((limiter.available(), drain(&limiter)), (2, 2));
    clock.advance(3600 * SECOND);
    assert_eq!((limiter.available(), drain(&limiter)), (3, 3));
}

#[test]
fn without_a_burst_single_calls_from_the_start() {
    let limiter = RateLimiter::new(2, SECOND);
    let clock = testing::clock();
    assert_eq!((drain(&limiter), left(limiter.try_acquire())), (1, Some(ms(500))));
    clock.advance(3600 * SECOND);
    assert_eq!((drain(&limiter), left(limiter.try_acquire())), (1, Some(ms(500))));
    // Counted from the call instead of a grid: two calls are never closer than the interval.
    clock.advance(ms(700));
    assert_eq!((drain(&limiter), left(limiter.try_acquire())), (1, Some(ms(500))));
}

#[test]
fn a_rejected_call_leaves_no_debt() {
    let limiter = RateLimiter::new(1, SECOND).wait(SECOND);
    let clock = testing::clock();
    assert!(limiter.try_acquire().is_ok());
    for _ in 0..1000 {
        assert_eq!(left(limiter.try_acquire()), Some(SECOND));
    }
    limiter.acquire_blocking().expect("it may wait so long");
    let _place = limiter.reserve().expect("one more may");
    for _ in 0..1000 {
        assert_eq!(left(limiter.reserve()), Some(2 * SECOND));
    }
    clock.advance(SECOND);
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
}

/// 3 a second do not divide a second: the interval is rounded up, so that the rate is never
/// exceeded.
#[test]
fn no_drift_above_the_rate() {
    for (rate, per) in [(3, SECOND), (7, ms(100)), (1_000_000_007, 60 * SECOND)] {
        let limiter = RateLimiter::new(rate, per).wait(SECOND);
        let clock = testing::clock();
        let calls = 100_000;
        for _ in 0..=calls {
            limiter.acquire_blocking().expect("it may wait so long");
        }
        let (elapsed, exact) = (clock.elapsed().as_nanos(), per.as_nanos() * calls);
        assert!(elapsed * u128::from(rate) >= exact, "{rate} in {per:?}: too fast");
        assert!((elapsed - calls) * u128::from(rate) < exact, "{rate} in {per:?}: too slow");
    }
}

#[test]
fn a_clock_that_goes_back_does_not_lock_callers_out() {
    let limiter = RateLimiter::new(1, SECOND).burst(5).wait(SECOND);
    {
        let clock = testing::clock();
        clock.advance(1000 * SECOND);
        assert_eq!(drain(&limiter), 5);
    }
    // The system's clock again, a quarter of an hour behind.
    let clock = testing::clock();
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
    clock.advance(SECOND);
    assert_eq!((drain(&limiter), left(limiter.try_acquire())), (1, Some(SECOND)));
    // Forward again.
    clock.advance(2000 * SECOND);
    assert_eq!(drain(&limiter), 5);
}

#[test]
fn a_clock_that_goes_back_after_waits_does_not_lock_callers_out() {
    let limiter = RateLimiter::new(1, SECOND).wait(2 * SECOND);
    {
        let clock = testing::clock();
        clock.advance(1000 * SECOND);
        (0..5).for_each(|_| limiter.acquire_blocking().expect("a turn"));
    }
    let _clock = testing::clock();
    assert_eq!(left(limiter.try_acquire()), Some(SECOND));
}

/// The whole burst of an hour is available once, with any number of threads.
#[test]
fn threads_do_not_overspend() {
    const BURST: usize = 100_000;
    let limiter = RateLimiter::new(1, 3600 * SECOND).burst(100_000);
    let start = std::sync::Barrier::new(4);
    let through: usize = std::thread::scope(|scope| {
        let run = || {
            start.wait();
            (0..BURST).filter(|_| limiter.try_acquire().is_ok()).count()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((through, limiter.available()), (BURST, 0));
}
