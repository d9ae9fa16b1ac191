//! Slow calls before their end.

use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, testing};

use crate::{SECOND, Seen, call, is_open, succeed};

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new().failure_rate(0.5).slow_call(2 * SECOND).min_calls(10)
}

/// Ten calls per second to a hanging dependency.
#[test]
fn hanging_calls_open_the_breaker_soon_after_the_limit() {
    let clock = testing::clock();
    let breaker = breaker();
    let mut hanging = Vec::new();
    let mut elapsed = Duration::ZERO;
    while let Ok(guard) = breaker.try_acquire() {
        hanging.push(guard);
        clock.advance(SECOND / 10);
        elapsed += SECOND / 10;
        assert!(elapsed < 10 * SECOND, "still closed");
    }
    // Ten calls have to exceed the limit: the tenth started after 0.9 s.
    assert_eq!(elapsed, 3 * SECOND);
    assert!(is_open(&breaker));
}

#[test]
fn a_slow_call_counts_once_while_it_runs_and_after_its_end() {
    let clock = testing::clock();
    let breaker = breaker();
    succeed(&breaker, 3);
    let (slow, failed, dropped) = (
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
        breaker.try_acquire().unwrap(),
    );
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (3, 0));
    clock.advance(2 * SECOND);
    assert_eq!(breaker.snapshot().slow_calls, 0, "exactly as long is not slow");
    clock.advance(SECOND / 1000);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (6, 3));
    slow.success();
    failed.failure();
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls, seen.failures), (6, 3, 1));
    drop(dropped);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (5, 2));
}

#[test]
fn calls_that_end_in_time_leave_nothing_behind() {
    let clock = testing::clock();
    let breaker = breaker();
    for _ in 0..1000 {
        let (one, two) = (breaker.try_acquire().unwrap(), breaker.try_acquire().unwrap());
        clock.advance(SECOND / 10);
        one.success();
        two.ignore();
    }
    clock.advance(3600 * SECOND);
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (0, 0));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn calls_from_before_an_opening_do_not_count_after_closing() {
    let clock = testing::clock();
    let breaker = breaker().reset_timeout(SECOND);
    let old: Vec<_> = (0..20).map(|_| breaker.try_acquire().unwrap()).collect();
    clock.advance(3 * SECOND);
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(_)));
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!((breaker.state(), breaker.snapshot().slow_calls), (CircuitState::Closed, 0));
    for guard in old {
        guard.failure();
    }
    assert_eq!((breaker.state(), breaker.snapshot().calls), (CircuitState::Closed, 0));
}

/// The success completes the minimum number of calls, and half of the calls hang.
#[test]
fn a_success_beside_hanging_calls_may_be_the_call_that_trips() {
    let clock = testing::clock();
    let breaker = breaker();
    let calls = || -> Vec<_> { (0..5).map(|_| breaker.try_acquire().unwrap()).collect() };
    let _hanging = calls();
    clock.advance(SECOND);
    let quick = calls();
    clock.advance(3 * SECOND / 2);
    let _next = breaker.try_acquire().unwrap();
    for guard in quick {
        assert_eq!(breaker.state(), CircuitState::Closed);
        guard.success();
    }
    assert!(is_open(&breaker));
}

/// A breaker that admits a growing share of the calls looks at its window before each call.
#[test]
fn a_rate_that_rises_while_calls_expire_opens_with_the_next_outcome() {
    let clock = testing::clock();
    let breaker = breaker().reset_timeout(SECOND).recovery(100 * SECOND);
    breaker.trip();
    clock.advance(SECOND);
    succeed(&breaker, 1);
    let call = || (0..20).find_map(|_| breaker.try_acquire().ok()).expect("a share of the calls");
    clock.advance(85 * SECOND);
    (0..6).for_each(|_| call().success());
    clock.advance(5 * SECOND);
    (0..5).for_each(|_| call().success());
    (0..6).for_each(|_| call().failure());
    // The first six calls expire, so six of eleven have failed.
    clock.advance(5 * SECOND);
    let guard = call();
    assert_eq!(breaker.state(), CircuitState::Closed);
    guard.success();
    assert!(is_open(&breaker));
}

/// Quick calls pass without the bookkeeping of slow calls.
#[test]
fn a_slow_success_after_quick_calls_counts_as_slow() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().slow_call(SECOND).count_window(10).min_calls(10);
    let call = |time| {
        let guard = breaker.try_acquire().unwrap();
        clock.advance(time);
        guard.success();
    };
    for _ in 0..5 {
        call(SECOND);
        call(2 * SECOND);
        call(SECOND / 2);
    }
    let seen = breaker.snapshot();
    assert_eq!((seen.calls, seen.slow_calls, seen.failures), (10, 3, 0));
    // A quick call that ends while another call hangs.
    let hanging = breaker.try_acquire().unwrap();
    clock.advance(SECOND / 2);
    let quick = breaker.try_acquire().unwrap();
    clock.advance(SECOND);
    quick.success();
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (11, 4));
    hanging.success();
    assert_eq!((breaker.snapshot().calls, breaker.snapshot().slow_calls), (10, 4));
}
