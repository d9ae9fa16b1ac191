//! Rates that change while limiters have permits, reservations and waiting calls.

use core::time::Duration;
use std::sync::Barrier;

use resilience::{Keyed, RateLimiter, Rejected, control, rate_limit, register, testing};

use crate::{alone, second};

#[test]
fn a_rate_limiter_follows_its_rate_and_keeps_the_used_permits() {
    static LIMIT: RateLimiter =
        RateLimiter::new(10, Duration::from_secs(1)).burst(10).name("live::rate");
    let _alone = alone();
    register(&LIMIT);
    let clock = testing::clock();
    for _ in 0..4 {
        LIMIT.try_acquire().unwrap();
    }
    control("live::rate").set("rate_limit.per", "10s").unwrap();
    assert_eq!(LIMIT.available(), 6);
    clock.advance(Duration::from_secs(1));
    assert_eq!(LIMIT.available(), 7);
    LIMIT.settle(4, 1);
    assert_eq!(LIMIT.available(), 10);
    LIMIT.settle(0, 3);
    control("live::rate").set("rate_limit.burst", "5").unwrap();
    assert_eq!(LIMIT.available(), 2);
}

/// Returns the time until the next permit.
fn left(limiter: &RateLimiter) -> Option<Duration> {
    limiter.try_acquire().unwrap_err().retry_after()
}

#[test]
fn a_reservation_from_before_a_reset_or_a_changed_rate_returns_no_permit() {
    static LIMIT: RateLimiter = RateLimiter::new(1, Duration::from_secs(1))
        .wait(Duration::from_secs(99))
        .name("live::reserved");
    let _alone = alone();
    register(&LIMIT);
    let clock = testing::clock();
    LIMIT.try_acquire().unwrap();
    let reserved = LIMIT.reserve().unwrap();
    control("live::reserved").reset().unwrap();
    drop(reserved);
    LIMIT.try_acquire().unwrap();
    clock.advance(second());
    LIMIT.try_acquire().unwrap();
    assert_eq!(left(&LIMIT), Some(second()), "two calls at once");

    clock.advance(second());
    LIMIT.try_acquire().unwrap();
    let reserved = LIMIT.reserve().unwrap();
    control("live::reserved").set("rate_limit.per", "2s").unwrap();
    drop(reserved);
    assert_eq!(left(&LIMIT), Some(2 * second()));
}

#[test]
fn a_permit_from_before_a_reset_is_issued_once() {
    static LIMIT: RateLimiter = RateLimiter::new(1, Duration::from_secs(1))
        .wait(Duration::from_secs(99))
        .name("live::returned");
    let _alone = alone();
    register(&LIMIT);
    let clock = testing::clock();
    LIMIT.try_acquire().unwrap();
    let (first, _second) = (LIMIT.reserve().unwrap(), LIMIT.reserve().unwrap());
    // The permit is free between the permits of the other calls.
    drop(first);
    control("live::returned").reset().unwrap();
    LIMIT.try_acquire().unwrap();
    clock.advance(second());
    LIMIT.try_acquire().unwrap();
    assert_eq!(left(&LIMIT), Some(second()), "two calls at once");
}

#[test]
fn calls_of_several_threads_apply_a_changed_rate_once() {
    const HOUR: Duration = Duration::from_secs(3600);
    let _alone = alone();
    for round in 0..500 {
        let name = format!("live::threads::{round}");
        let limiter = RateLimiter::new(1, HOUR).named(&name);
        limiter.try_acquire().unwrap();
        control(&name).set("rate_limit.rate", "2").unwrap();
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    limiter.available()
                });
            }
        });
        let left = left(&limiter).unwrap();
        assert_eq!(left.as_secs().div_ceil(60), 30, "the time until the next permit");
        control(&name).unset("rate_limit.rate").unwrap();
    }
}

#[test]
fn the_limiters_of_all_keys_follow_a_rate_at_the_time_of_the_change() {
    static LIMITS: Keyed<RateLimiter> =
        Keyed::new(10, || RateLimiter::new(1, Duration::from_secs(1)).name("live::rates"));
    let _alone = alone();
    register(&LIMITS);
    let clock = testing::clock();
    LIMITS.get("a").try_acquire().unwrap();
    control("live::rates").set("rate_limit.per", "1h").unwrap();
    clock.advance(10 * second());
    // The earlier rate would have returned the permit.
    assert!(LIMITS.get("a").try_acquire().is_err());
}

#[test]
fn an_annotated_limiter_follows_its_rate() {
    #[rate_limit(rate = 1, per = "1h", name = "live::limit")]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    let _alone = alone();
    let clock = testing::clock();
    assert!(call().is_ok());
    control("live::limit").set("rate_limit.per", "1s").unwrap();
    clock.advance(second());
    assert!(call().is_ok());
    assert_eq!(call().unwrap_err().retry_after(), Some(second()));
}
