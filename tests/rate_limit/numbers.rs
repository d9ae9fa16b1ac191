//! Invalid numbers and extreme numbers.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{RateLimiter, testing};

use crate::{SECOND, drain, left, ns};

#[test]
fn rules() {
    let words = |limiter: &RateLimiter| limiter.validate().map_err(|error| error.to_string());
    assert_eq!(words(&RateLimiter::new(1, ns(1)).burst(1)), Ok(()));
    assert_eq!(words(&RateLimiter::new(u32::MAX, Duration::MAX).burst(u32::MAX)), Ok(()));
    for (bad, named) in [
        (RateLimiter::new(0, SECOND), "`rate`"),
        (RateLimiter::new(1, Duration::ZERO), "`per`"),
        (RateLimiter::new(1, SECOND).burst(0), "`burst`"),
    ] {
        let words = words(&bad).expect_err(named);
        assert!(words.contains(named), "{words}");
        // The limiter still works, with the nearest valid values.
        let clock = testing::clock();
        assert_eq!(drain(&bad), 1, "{bad:?}");
        let left = left(bad.try_acquire()).expect("used up");
        clock.advance(left);
        assert_eq!(drain(&bad), 1, "{bad:?}");
    }
}

/// Faster than the clock: one call per nanosecond.
#[test]
fn faster_than_the_clock() {
    let limiter = RateLimiter::new(u32::MAX, ns(1)).burst(3);
    let clock = testing::clock();
    assert_eq!((drain(&limiter), left(limiter.try_acquire())), (3, Some(ns(1))));
    clock.advance(ns(2));
    assert_eq!(drain(&limiter), 2);
}

/// Slower than the life of a process: a single call.
#[test]
fn slower_than_the_clock() {
    let limiter = RateLimiter::new(1, Duration::MAX).burst(9).wait(Duration::MAX);
    let clock = testing::clock();
    assert_eq!(drain(&limiter), 1);
    clock.advance(Duration::from_secs(100 * 365 * 24 * 3600));
    assert_eq!((drain(&limiter), limiter.available()), (0, 0));
    // A long burst of a slow limiter is cut, and never grows.
    let limiter = RateLimiter::new(1, 24 * 3600 * SECOND).burst(u32::MAX);
    assert_eq!(limiter.available(), 53_376, "the days of 146 years");
    assert!((0..53_376).all(|_| limiter.try_acquire().is_ok()));
    assert_eq!(drain(&limiter), 0);
    clock.advance(24 * 3600 * SECOND);
    assert_eq!(drain(&limiter), 1);
}

fn any_u32() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0..3_u32, Just(u32::MAX)]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        any::<u64>().prop_map(Duration::from_nanos),
        (0..10_u64).prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

proptest! {
    #[test]
    fn no_number_panics(
        (rate, burst) in (any_u32(), any_u32()),
        (per, wait) in (any_duration(), any_duration()),
        steps in prop::collection::vec(any_duration(), 1..8),
    ) {
        let limiter = RateLimiter::new(rate, per).burst(burst).wait(wait);
        let clock = testing::clock();
        prop_assert!(rate == 0 || per.is_zero() || burst == 0 || limiter.validate().is_ok());
        prop_assert!(limiter.try_acquire().is_ok(), "the first of all");
        for step in steps {
            clock.advance(step);
            drop(limiter.try_acquire());
            let reservation = limiter.reserve();
            drop(limiter.reserve());
            limiter.run(|| Some(()));
            drop(reservation);
            let _future = futures::executor::block_on(limiter.acquire());
            prop_assert!(limiter.available() <= burst.max(1));
        }
    }
}
