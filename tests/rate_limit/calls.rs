//! Calls under a limiter.

use std::time::Duration;

use allocation_counter::measure;
use resilience::{RateLimiter, Rejected, testing};

use crate::{SECOND, at_once, ms};

#[test]
fn a_rejection_becomes_the_outcome() {
    let limiter = RateLimiter::new(1, SECOND).burst(2).name("api");
    let _clock = testing::clock();
    assert_eq!(limiter.run(|| Some(7)), Some(7));
    let answer: Result<u32, Rejected> = at_once(limiter.run_async(async { Ok(7) }));
    assert_eq!(answer, Ok(7));
    let rejected = limiter.run(|| Ok::<(), Rejected>(())).expect_err("used up");
    assert_eq!(rejected.to_string(), "api: rate limit reached; retry after 1s");
    let rejected = at_once(limiter.run_async(async { Ok::<(), Rejected>(()) }));
    assert_eq!(rejected.expect_err("used up").retry_after(), Some(SECOND));
    assert_eq!(limiter.run(|| Some("never")), None);
    let error = limiter.run(|| Ok::<(), Box<dyn std::error::Error + Send + Sync>>(()));
    assert!(error.expect_err("used up").is::<Rejected>());
}

#[test]
fn names() {
    let name = |limiter: RateLimiter| {
        limiter.try_acquire().expect("the first");
        limiter.try_acquire().expect_err("used up").name()
    };
    let new = || RateLimiter::new(1, SECOND);
    assert_eq!(name(new()), "rate_limit");
    assert_eq!(name(new().at("module::function", 0)), "module::function");
    assert_eq!(name(new().name("search").at("module::function", 0)), "search");
}

#[test]
fn fresh_state() {
    static LIMITER: RateLimiter = RateLimiter::new(1, SECOND).burst(2).wait(SECOND).name("fresh");
    let clock = testing::clock();
    assert!(LIMITER.try_acquire().is_ok());
    {
        let _guard = testing::fresh_state();
        let fresh = resilience::__private::resolve(&LIMITER);
        assert_eq!((fresh.available(), format!("{fresh:?}").contains("wait: 1s")), (2, true));
        assert!(fresh.try_acquire().is_ok() && fresh.try_acquire().is_ok());
    }
    assert_eq!(resilience::__private::resolve(&LIMITER).available(), 1);
    clock.advance(SECOND);
    assert_eq!(LIMITER.available(), 2);
}

#[test]
fn memory_cost() {
    fn sends<T: Send>(value: T) -> T {
        value
    }
    let limiter = RateLimiter::new(1, SECOND).burst(9).wait(ms(5));
    let counted = measure(|| {
        assert_eq!(limiter.run(|| Some(7)), Some(7));
        assert_eq!(at_once(limiter.run_async(async { Some(7) })), Some(7));
    });
    assert_eq!(counted.count_total, 0);
    drop(sends(limiter.acquire()));
    drop(sends(limiter.reserve()));
    let timer = size_of::<tokio::time::Sleep>();
    assert!(size_of_val(&limiter.acquire()) <= timer + 64, "{}", size_of_val(&limiter.acquire()));
}

#[test]
fn shown() {
    let limiter = RateLimiter::new(9, SECOND).burst(3);
    assert_eq!(
        format!("{limiter:?}"),
        "RateLimiter { name: \"rate_limit\", rate: 9, per: 1s, burst: 3, wait: 0ns, available: 3, .. }",
    );
    assert_eq!(limiter.as_ref().available(), 3);
}

#[test]
fn calls_that_have_waited_leave_no_memory_behind() {
    let limiter = RateLimiter::new(1, SECOND).wait(Duration::MAX);
    let wait = |calls| (0..calls).for_each(|_| limiter.acquire_blocking().expect("its turn"));
    // The turn comes under a clock that advances, and the wait ends before the turn otherwise.
    for is_paused in [false, true] {
        let (clock, paused) = (testing::clock(), is_paused.then(testing::no_waits));
        wait(10);
        let counted = measure(|| wait(1000));
        assert!(counted.bytes_current.abs() < 1000, "{is_paused}: {counted:?}");
        drop((paused, clock));
    }
}
