//! The growing share of admitted calls after closing.

use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, testing};

use crate::{Failure, SECOND, Seen, call, fail, is_open, succeed};

fn recovering(clock: &testing::Clock) -> CircuitBreaker {
    let breaker =
        CircuitBreaker::new().failure_threshold(3).reset_timeout(SECOND).recovery(30 * SECOND);
    fail(&breaker, 3);
    clock.advance(SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
    breaker
}

#[test]
fn the_share_of_admitted_calls_grows_linearly() {
    let clock = testing::clock();
    let breaker = recovering(&clock);
    let mut shares = Vec::new();
    for _ in 0..6 {
        let mut admitted = 0;
        for _ in 0..500 {
            clock.advance(Duration::from_millis(10));
            admitted += u32::from(call(&breaker, Ok(())) == Seen::Ok);
        }
        shares.push(admitted);
    }
    for (share, expected) in shares.iter().zip([42, 125, 208, 292, 375, 458]) {
        assert!(share.abs_diff(expected) <= 2, "{shares:?}");
    }
    for _ in 0..1000 {
        succeed(&breaker, 1);
    }
    assert_eq!(breaker.snapshot().recovering_for, None);
}

#[test]
fn a_rejection_says_when_all_calls_are_admitted() {
    let clock = testing::clock();
    let breaker = recovering(&clock);
    clock.advance(10 * SECOND);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(Some(20 * SECOND)));
    assert_eq!(breaker.snapshot().recovering_for, Some(20 * SECOND));
}

#[test]
fn failures_open_a_recovering_breaker() {
    let clock = testing::clock();
    let breaker = recovering(&clock);
    clock.advance(15 * SECOND);
    let mut failed = 0;
    while !is_open(&breaker) {
        failed += u32::from(call(&breaker, Err(Failure::Down)) == Seen::Failed);
    }
    assert_eq!(failed, 3);
}

#[test]
fn manual_closing_admits_all_calls_at_once() {
    let clock = testing::clock();
    let breaker = recovering(&clock);
    breaker.reset();
    succeed(&breaker, 10);
    breaker.trip();
    breaker.force_close();
    succeed(&breaker, 10);
}

#[test]
fn closing_a_recovering_breaker_admits_all_calls_and_keeps_the_counts() {
    let clock = testing::clock();
    let breaker = recovering(&clock);
    clock.advance(29 * SECOND);
    while breaker.snapshot().consecutive_failures < 2 {
        call(&breaker, Err(Failure::Down));
    }
    breaker.force_close();
    assert_eq!(breaker.snapshot().recovering_for, None);
    assert_eq!(breaker.snapshot().consecutive_failures, 2);
    succeed(&breaker, 1000);
}

#[test]
fn a_recovery_of_zero_admits_all_calls() {
    let clock = testing::clock();
    let breaker =
        CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND).recovery(Duration::ZERO);
    assert!(breaker.validate().is_err());
    fail(&breaker, 1);
    clock.advance(SECOND);
    succeed(&breaker, 10);
}
