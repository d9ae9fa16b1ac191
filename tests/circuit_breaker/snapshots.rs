//! Complete snapshots: stored and restored.

use std::time::Duration;

use proptest::prelude::*;
use resilience::{CircuitBreaker, CircuitGuard, CircuitSnapshot, CircuitState, testing};

use crate::{SECOND, fail, is_open, succeed};

fn stored(snapshot: &CircuitSnapshot) -> CircuitSnapshot {
    let text = serde_json::to_string(snapshot).expect("a snapshot is data");
    serde_json::from_str(&text).expect("what was stored")
}

#[test]
fn a_window_of_calls_is_restored() {
    let settings = || CircuitBreaker::new().failure_rate(0.5).count_window(100).min_calls(100);
    let (old, new) = (settings(), settings());
    succeed(&old, 50);
    fail(&old, 49);
    new.restore(&stored(&old.snapshot()));
    assert_eq!(new.snapshot(), old.snapshot());
    for breaker in [&old, &new] {
        fail(breaker, 1);
        assert!(is_open(breaker));
    }
}

#[test]
fn the_calls_before_an_opening_are_restored() {
    let _clock = testing::clock();
    let settings = || CircuitBreaker::new().failure_rate(0.5).count_window(100).min_calls(10);
    let (old, new) = (settings(), settings());
    succeed(&old, 2);
    fail(&old, 1);
    old.trip();
    new.restore(&stored(&old.snapshot()));
    assert_eq!(new.snapshot(), old.snapshot());
}

#[test]
fn an_old_snapshot_without_new_fields_is_read() {
    let snapshot: CircuitSnapshot =
        serde_json::from_str(r#"{"state":"half-open","calls":1}"#).unwrap();
    assert_eq!((snapshot.state, snapshot.calls), (CircuitState::HalfOpen, 1));
}

#[test]
fn a_window_larger_than_the_new_one_keeps_the_newest_calls() {
    let old = CircuitBreaker::new().failure_rate(1.0).count_window(100).min_calls(100);
    succeed(&old, 90);
    fail(&old, 3);
    succeed(&old, 2);
    let new = CircuitBreaker::new().failure_rate(1.0).count_window(4).min_calls(4);
    new.restore(&old.snapshot());
    assert_eq!((new.snapshot().calls, new.snapshot().failures), (4, 2));
    let timed = CircuitBreaker::new().failure_rate(1.0).min_calls(1000);
    timed.restore(&old.snapshot());
    assert_eq!((timed.snapshot().calls, timed.snapshot().failures), (95, 3));
}

#[test]
fn trial_calls_growth_and_recovery_are_restored() {
    let clock = testing::clock();
    let settings = || {
        CircuitBreaker::new()
            .failure_threshold(1)
            .reset_timeout(10 * SECOND)
            .max_reset_timeout(40 * SECOND)
            .recovery(30 * SECOND)
            .success_threshold(2)
    };
    let old = settings();
    fail(&old, 1);
    clock.advance(10 * SECOND);
    succeed(&old, 1);
    let half_open = settings();
    half_open.restore(&stored(&old.snapshot()));
    for breaker in [&old, &half_open] {
        succeed(breaker, 1);
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
    clock.advance(5 * SECOND);
    let new = settings();
    new.restore(&stored(&old.snapshot()));
    assert_eq!(new.snapshot(), old.snapshot());
    assert_eq!(new.snapshot().recovering_for, Some(25 * SECOND));
    for breaker in [&old, &new] {
        while breaker.try_acquire().map(CircuitGuard::failure).is_err() {}
        assert_eq!(breaker.snapshot().open_for, Some(20 * SECOND), "not stable yet");
    }
}

#[test]
fn a_snapshot_has_the_buckets_with_calls_and_the_rest_of_the_unstable_time() {
    let clock = testing::clock();
    let breaker = CircuitBreaker::new()
        .failure_rate(1.0)
        .min_calls(2)
        .reset_timeout(10 * SECOND)
        .max_reset_timeout(40 * SECOND);
    fail(&breaker, 2);
    clock.advance(10 * SECOND);
    succeed(&breaker, 1);
    assert_eq!(breaker.snapshot().unstable_for, Some(10 * SECOND));
    succeed(&breaker, 1);
    clock.advance(3 * SECOND);
    succeed(&breaker, 2);
    clock.advance(2 * SECOND);
    let window = breaker.snapshot().window;
    let buckets: Vec<_> = window.iter().map(|slice| (slice.age.as_secs(), slice.calls)).collect();
    // The current bucket is listed without a call too.
    assert_eq!(buckets, [(5, 1), (2, 2), (0, 0)]);
    clock.advance(5 * SECOND);
    assert_eq!(breaker.snapshot().unstable_for, None);
}

/// Returns a breaker in the fourth second of a recovery of ten seconds, with a part of a call saved
/// up.
fn recovering(clock: &testing::Clock) -> CircuitBreaker {
    let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
    let breaker = breaker.recovery(10 * SECOND);
    fail(&breaker, 1);
    clock.advance(SECOND);
    succeed(&breaker, 1);
    clock.advance(4 * SECOND);
    assert!(is_rejected(&breaker) && is_rejected(&breaker));
    breaker
}

fn is_rejected(breaker: &CircuitBreaker) -> bool {
    breaker.try_acquire().map(CircuitGuard::success).is_err()
}

#[test]
fn the_part_of_a_call_saved_up_while_recovering_is_restored() {
    let clock = testing::clock();
    let old = recovering(&clock);
    let snapshot = old.snapshot();
    assert!((snapshot.recovery_credit - 0.8).abs() < 1e-9, "{snapshot:?}");
    let new = CircuitBreaker::new().recovery(10 * SECOND);
    new.restore(&stored(&snapshot));
    let rejected = |breaker: &CircuitBreaker| [(); 20].map(|()| is_rejected(breaker));
    let (of_old, of_new) = (rejected(&old), rejected(&new));
    assert_eq!(of_new, of_old);
    assert!(!of_new[0], "the third call is within the share");
}

#[test]
fn a_snapshot_cannot_save_up_more_than_a_call() {
    let clock = testing::clock();
    let mut snapshot = recovering(&clock).snapshot();
    for (credit, expected) in [(f64::MAX, 2), (f64::NAN, 0), (-5.0, 0)] {
        snapshot.recovery_credit = credit;
        let new = CircuitBreaker::new().recovery(10 * SECOND);
        new.restore(&snapshot);
        let admitted = [(); 2].iter().filter(|()| !is_rejected(&new)).count();
        assert!(admitted <= expected, "{credit} {admitted}");
    }
    let mut text = serde_json::to_value(recovering(&clock).snapshot()).unwrap();
    text.as_object_mut().unwrap().remove("recovery_credit").expect("the field");
    let old: CircuitSnapshot = serde_json::from_value(text).unwrap();
    assert_eq!((old.recovery_credit, old.recovering_for), (0.0, Some(6 * SECOND)));
}

proptest! {
    #[test]
    fn a_restored_breaker_decides_like_the_original(
        before in proptest::collection::vec((any::<bool>(), 0..400_u64), 0..60),
        after in proptest::collection::vec((any::<bool>(), 0..400_u64), 0..60),
        size in proptest::option::of(1..40_u32),
    ) {
        let clock = testing::clock();
        let settings = || {
            let breaker = CircuitBreaker::new().failure_rate(0.7).min_calls(5).reset_timeout(SECOND);
            match size {
                Some(size) => breaker.count_window(size),
                None => breaker.time_window(SECOND),
            }
        };
        let old = settings();
        let step = |breakers: &[&CircuitBreaker], failed: bool, pause: u64| {
            for breaker in breakers {
                if let Ok(guard) = breaker.try_acquire() {
                    if failed { guard.failure() } else { guard.success() }
                }
            }
            clock.advance(Duration::from_millis(pause));
        };
        for (failed, pause) in before {
            step(&[&old], failed, pause);
        }
        let new = settings();
        new.restore(&stored(&old.snapshot()));
        for (failed, pause) in after {
            step(&[&old, &new], failed, pause);
            prop_assert_eq!(old.state(), new.state());
            prop_assert_eq!(old.snapshot().failures, new.snapshot().failures);
        }
    }
}
