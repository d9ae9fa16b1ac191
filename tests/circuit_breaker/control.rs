//! Manual control of a breaker.

use std::cell::RefCell;

use resilience::{
    ChangeReason, CircuitBreaker, CircuitSnapshot, CircuitState, FailureClass, FailureKind,
    StateChange, testing,
};

use crate::{SECOND, Seen, call, fail, is_open, succeed};

#[test]
fn forced_open_stays_open_until_closed() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new().reset_timeout(SECOND);
    breaker.force_open();
    clock.advance(3600 * SECOND);
    assert_eq!(call(&breaker, Ok(())), Seen::Rejected(None));
    breaker.force_close();
    succeed(&breaker, 1);
}

#[test]
fn disabled_counts_nothing() {
    let breaker = CircuitBreaker::new().failure_threshold(1).failure_rate(0.1).min_calls(1);
    breaker.disable();
    fail(&breaker, 10);
    assert_eq!(breaker.state(), CircuitState::Disabled);
    assert_eq!(breaker.snapshot().calls, 0);
    breaker.reset();
    fail(&breaker, 1);
    assert!(is_open(&breaker));
}

#[test]
fn closing_a_closed_breaker_keeps_the_counts_and_reset_clears_them() {
    let breaker = CircuitBreaker::new();
    fail(&breaker, 4);
    breaker.force_close();
    assert_eq!(breaker.snapshot().consecutive_failures, 4);
    breaker.reset();
    assert_eq!(breaker.snapshot().consecutive_failures, 0);
    fail(&breaker, 4);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn can_be_tripped_and_probed_by_hand() {
    let breaker = CircuitBreaker::new();
    breaker.probe();
    assert_eq!(breaker.state(), CircuitState::Closed, "nothing to probe");
    breaker.trip();
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(Some(_))));
    breaker.probe();
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_half_open_breaker_that_is_tripped_stays_open_for_longer() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(10 * SECOND)
        .max_reset_timeout(60 * SECOND);
    fail(&breaker, 1);
    breaker.trip();
    assert_eq!(breaker.snapshot().open_for, Some(10 * SECOND), "no trial call has failed");
    clock.advance(10 * SECOND);
    let _probe = breaker.try_acquire().unwrap();
    breaker.trip();
    assert_eq!(breaker.snapshot().open_for, Some(20 * SECOND));
}

#[test]
fn a_manual_state_with_an_end_is_restored() {
    let clock = testing::clock();
    for state in [CircuitState::ForcedOpen, CircuitState::Disabled] {
        let breaker = CircuitBreaker::new();
        let mut snapshot = CircuitSnapshot::default();
        (snapshot.state, snapshot.open_for) = (state, Some(10 * SECOND));
        breaker.restore(&snapshot);
        clock.advance(9 * SECOND);
        assert_eq!(breaker.try_acquire().is_ok(), state == CircuitState::Disabled);
        assert_eq!(breaker.state(), state);
        clock.advance(SECOND);
        succeed(&breaker, 1);
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}

thread_local!(static CHANGES: RefCell<Vec<StateChange>> = const { RefCell::new(Vec::new()) });

#[test]
fn every_change_is_reported_once() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_threshold(1)
        .reset_timeout(SECOND)
        .name("reported")
        .on_state_change(|change| CHANGES.with_borrow_mut(|changes| changes.push(change.clone())));
    fail(&breaker, 1);
    clock.advance(SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    succeed(&breaker, 2);
    breaker.force_open();
    breaker.force_open();
    breaker.reset();
    use CircuitState::{Closed, ForcedOpen, HalfOpen, Open};
    let changes = CHANGES.take();
    assert!(changes.iter().all(|change| change.name == "reported"));
    let steps: Vec<_> = changes.iter().map(|change| (change.from, change.to)).collect();
    assert_eq!(
        steps,
        [
            (Closed, Open),
            (Open, HalfOpen),
            (HalfOpen, Open),
            (Open, HalfOpen),
            (HalfOpen, Closed),
            (Closed, ForcedOpen),
            (ForcedOpen, Closed),
        ]
    );
    let failed = ChangeReason::Failure(FailureKind::Transient);
    let reasons: Vec<_> = changes.iter().map(|change| change.reason).collect();
    use ChangeReason::{Manual, OpenTimeOver, TrialCalls};
    assert_eq!(reasons, [failed, OpenTimeOver, failed, OpenTimeOver, TrialCalls, Manual, Manual]);
    let times: Vec<_> = changes.iter().filter_map(|change| change.open_for).collect();
    assert_eq!(times, [SECOND, SECOND]);
}

#[test]
fn a_snapshot_restores_another_breaker() {
    let clock = testing::clock();
    let settings = || {
        CircuitBreaker::new()
            .failure_threshold(2)
            .reset_timeout(10 * SECOND)
            .max_reset_timeout(60 * SECOND)
    };
    let (one, other) = (settings(), settings());
    fail(&one, 2);
    clock.advance(10 * SECOND);
    fail(&one, 1);
    clock.advance(5 * SECOND);
    other.restore(&one.snapshot());
    for breaker in [&one, &other] {
        assert_eq!(call(breaker, Ok(())), Seen::Rejected(Some(15 * SECOND)));
    }
    clock.advance(15 * SECOND);
    for breaker in [&one, &other] {
        fail(breaker, 1);
        assert_eq!(
            call(breaker, Ok(())),
            Seen::Rejected(Some(40 * SECOND)),
            "the open time keeps growing"
        );
    }
}

#[test]
fn a_restored_run_of_failures_continues() {
    let breaker = CircuitBreaker::new().failure_threshold(2);
    let mut snapshot = CircuitSnapshot::default();
    snapshot.consecutive_failures = 1;
    breaker.restore(&snapshot);
    fail(&breaker, 1);
    assert!(is_open(&breaker));
}

#[test]
fn a_restored_run_of_failures_ends_with_a_success() {
    let breaker = CircuitBreaker::new().failure_threshold(2);
    let mut snapshot = CircuitSnapshot::default();
    snapshot.consecutive_failures = 1;
    breaker.restore(&snapshot);
    succeed(&breaker, 1);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Forced states whose time is over, without a call since.
#[test]
fn a_forced_state_ends_by_time_for_manual_control_too() {
    let clock = testing::clock();
    for state in [CircuitState::ForcedOpen, CircuitState::Disabled] {
        let forced = || {
            let breaker = CircuitBreaker::new();
            let mut snapshot = CircuitSnapshot::default();
            (snapshot.state, snapshot.open_for) = (state, Some(SECOND));
            breaker.restore(&snapshot);
            clock.advance(2 * SECOND);
            assert_eq!(breaker.state(), CircuitState::Closed);
            breaker
        };
        let breaker = forced();
        breaker.trip();
        assert_eq!(breaker.state(), CircuitState::Open);
        let breaker = forced();
        breaker.probe();
        assert_eq!(breaker.state(), CircuitState::Closed);
        assert!((0..10).all(|_| breaker.try_acquire().is_ok()));
    }
}

#[test]
fn a_half_open_snapshot_without_a_cause_replaces_an_earlier_cause() {
    let breaker = CircuitBreaker::new().failure_threshold(1);
    breaker.try_acquire().unwrap().report(FailureClass::transient(), &"connection refused");
    assert!(breaker.snapshot().cause.is_some());
    let mut snapshot = CircuitSnapshot::default();
    snapshot.state = CircuitState::HalfOpen;
    breaker.restore(&snapshot);
    assert_eq!(breaker.snapshot().cause, None);
}
