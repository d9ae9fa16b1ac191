//! Policies in the normal mode of a process: no switch, no setting and no test clock. The mode is
//! process-wide, so a test that changes the mode belongs to another program. Intervals of an hour
//! keep the results independent of the speed of the machine.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Waker};
use std::time::Duration;

use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, RateLimiter, Rejected, RejectedKind, RetryEvent,
    circuit_breaker, rate_limit, retry,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Checks a rejection with a time that has become shorter by less than a minute.
fn check<T>(outcome: Result<T, Rejected>, kind: RejectedKind, expected: Duration) {
    let rejected = outcome.err().expect("a rejection");
    assert_eq!(rejected.kind(), kind);
    let time = rejected.retry_after().expect("the time is known");
    let latest = expected.saturating_sub(Duration::from_secs(60));
    assert!(latest < time && time <= expected, "{time:?} instead of {expected:?}");
}

#[test]
fn a_rate_limit_of_a_function() {
    #[rate_limit(rate = 1, per = "1h", burst = 2)]
    fn call() -> Result<(), Rejected> {
        Ok(())
    }
    assert_eq!((call(), call()), (Ok(()), Ok(())));
    for _ in 0..2 {
        check(call(), RejectedKind::RateLimited, HOUR);
    }
}

/// The retry learns of the rejection from the limit, and not from an error without a class.
#[test]
fn a_rejection_by_a_rate_limit_below_a_retry() {
    struct Lost;
    impl From<Rejected> for Lost {
        fn from(_: Rejected) -> Self {
            Self
        }
    }
    static RETRIES: AtomicU32 = AtomicU32::new(0);
    fn count<E>(_: &RetryEvent<'_, E>) {
        RETRIES.fetch_add(1, Relaxed);
    }
    #[retry(base_delay = "1ms", max_delay = "1ms", on_retry = count)]
    #[rate_limit(rate = 1, per = "1h")]
    fn call() -> Result<(), Lost> {
        Ok(())
    }
    // The first rejection prepares the record that counts the others.
    assert!(call().is_ok() && (0..3).all(|_| call().is_err()));
    assert_eq!(RETRIES.load(Relaxed), 0);
}

#[test]
fn costs_of_a_rate_limit() {
    let limiter = RateLimiter::new(1, HOUR).burst(3);
    assert_eq!(
        limiter.try_acquire_many(4).err().map(|rejected| rejected.retry_after()),
        Some(None)
    );
    limiter.try_acquire_many(2).expect("a burst");
    check(limiter.try_acquire_many(3), RejectedKind::RateLimited, 2 * HOUR);
    limiter.try_acquire().expect("the last permit");
    check(limiter.try_acquire(), RejectedKind::RateLimited, HOUR);
    limiter.try_acquire_many(0).expect("no permit");
    assert_eq!(limiter.available(), 0);
}

#[test]
fn calls_that_wait_for_a_rate_limit() {
    let limiter = RateLimiter::new(1, HOUR).wait(3 * HOUR);
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(limiter.acquire()).poll(&mut context).is_ready());
    assert!(pin!(limiter.acquire_many(0)).poll(&mut context).is_ready());
    let mut waiting = Box::pin(limiter.acquire());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert!(pin!(limiter.acquire_many(0)).poll(&mut context).is_ready());
    check(limiter.try_acquire(), RejectedKind::RateLimited, 2 * HOUR);
    drop(waiting);
    check(limiter.try_acquire(), RejectedKind::RateLimited, HOUR);
}

#[test]
fn a_rate_limit_in_shadow_mode() {
    let limiter = RateLimiter::new(1, HOUR).shadow();
    assert!((0..3).all(|_| limiter.try_acquire().is_ok()));
    assert_eq!(limiter.shadow_rejections(), 2);
}

#[test]
fn a_circuit_breaker_of_a_function() {
    #[circuit_breaker(failure_threshold = 2, reset_timeout = "1h", jitter = 0.0)]
    fn call(works: bool) -> Result<(), Rejected> {
        let failure = Rejected::new(RejectedKind::TimedOut, "dependency", None);
        if works { Ok(()) } else { Err(failure) }
    }
    for works in [false, true, false, false] {
        assert_eq!(call(works).is_ok(), works);
    }
    for _ in 0..2 {
        check(call(true), RejectedKind::CircuitOpen, HOUR);
    }
}

#[test]
fn a_circuit_breaker_with_a_window() {
    let breaker = CircuitBreaker::new().failure_rate(0.5).count_window(4).min_calls(4);
    let breaker = breaker.reset_timeout(HOUR).jitter(0.0);
    // The first failure has left the window before the second.
    for works in [false, true, true, true, true, false] {
        let guard = breaker.try_acquire().expect("a closed circuit");
        if works { guard.success() } else { guard.failure() }
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    breaker.try_acquire().expect("a closed circuit").failure();
    assert_eq!(breaker.state(), CircuitState::Open);
    check(breaker.try_acquire(), RejectedKind::CircuitOpen, HOUR);
}

/// Most successes are counted without the lock, up to the next failure in the ring.
#[test]
fn a_long_window_of_calls_counts_like_a_list() {
    for size in [33, 50, 64, 100, 200] {
        let breaker = CircuitBreaker::new().failure_rate(1.0).count_window(size).min_calls(size);
        let (mut random, mut all) = (u64::from(size), VecDeque::new());
        for _ in 0..4000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let fails = random >> 59 == 0;
            let guard = breaker.try_acquire().expect("a closed circuit");
            if fails {
                guard.failure();
            } else {
                guard.success();
            }
            all.push_front(fails);
            all.truncate(size as usize);
            if (random >> 54).is_multiple_of(16) {
                let seen = breaker.snapshot();
                let runs = seen.window.iter().rev();
                let outcomes = runs.flat_map(|run| (0..run.calls).map(|_| run.failures > 0));
                assert!(outcomes.eq(all.iter().copied()), "{seen:?}");
                let failures = all.iter().filter(|fails| **fails).count();
                assert_eq!((seen.calls as usize, seen.failures as usize), (all.len(), failures));
                let in_a_row = all.iter().take_while(|fails| **fails).count();
                assert_eq!(seen.consecutive_failures as usize, in_a_row);
            }
        }
    }
}

/// A call that ends after a change of state counts neither before nor after the change.
#[test]
fn a_call_of_an_earlier_state_counts_in_no_window() {
    let windows: [fn(CircuitBreaker) -> CircuitBreaker; 2] =
        [|breaker| breaker.count_window(100), |breaker| breaker.time_window(HOUR)];
    for window in windows {
        let breaker = window(CircuitBreaker::new().failure_rate(1.0).min_calls(50));
        let start = || breaker.try_acquire().expect("a closed circuit");
        let fail_and_succeed = |successes| {
            start().failure();
            (0..successes).for_each(|_| start().success());
        };
        fail_and_succeed(4);
        let (early, late) = (start(), start());
        breaker.trip();
        early.success();
        assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (5, 1));
        breaker.force_close();
        fail_and_succeed(1);
        late.success();
        assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (2, 1));

        let breaker = window(CircuitBreaker::new().failure_rate(1.0).min_calls(50));
        let start = || breaker.try_acquire().expect("a closed circuit");
        let late = start();
        breaker.force_open();
        breaker.force_close();
        start().failure();
        start().success();
        late.success();
        assert_eq!((breaker.snapshot().calls, breaker.snapshot().failures), (2, 1));
    }
}

#[test]
fn a_bulkhead() {
    let bulkhead = Bulkhead::new(1).queue(1).wait(HOUR);
    let permit = bulkhead.try_acquire().expect("a permit");
    assert_eq!(
        bulkhead.try_acquire().err().map(|rejected| rejected.kind()),
        Some(RejectedKind::BulkheadFull)
    );
    let mut context = Context::from_waker(Waker::noop());
    let mut waiting = pin!(bulkhead.acquire());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    let second = pin!(bulkhead.acquire()).poll(&mut context);
    assert!(matches!(second, std::task::Poll::Ready(Err(_))), "a full queue");
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 1));
    drop(permit);
    assert!(waiting.as_mut().poll(&mut context).is_ready());
}
