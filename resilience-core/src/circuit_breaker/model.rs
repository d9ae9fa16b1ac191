//! Every interleaving of a few threads on one breaker.

use loom::sync::Arc;
use loom::thread;

use super::policy::Settings;
use super::*;

fn breaker(failures: u32) -> Arc<CircuitBreaker> {
    let settings = Settings::new().failure_threshold(failures).reset_timeout(Duration::MAX);
    Arc::new(CircuitBreaker::made(settings))
}

fn state(breaker: &CircuitBreaker) -> (CircuitState, u32) {
    let machine = lock(&breaker.machine);
    (machine.state, machine.run)
}

/// Failures of several threads are all counted, and once open everybody sees it.
#[test]
fn failures_are_counted_once_each() {
    loom::model(|| {
        let breaker = breaker(2);
        let fail = |breaker: &CircuitBreaker| match breaker.try_acquire() {
            Ok(guard) => guard.failure(),
            Err(_) => unreachable!("two failures have not been counted before the second ended"),
        };
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || fail(&breaker))
        };
        fail(&breaker);
        other.join().unwrap();
        assert_eq!(state(&breaker).0, CircuitState::Open);
        assert!(breaker.try_acquire().is_err());
    });
}

/// A success that sees failures before it ends the run; one that ends before them does not.
#[test]
fn a_success_is_before_or_after_a_failure() {
    loom::model(|| {
        let breaker = breaker(2);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.try_acquire().unwrap().success())
        };
        breaker.try_acquire().unwrap().failure();
        other.join().unwrap();
        let (state, run) = state(&breaker);
        assert_eq!(state, CircuitState::Closed);
        assert!(run <= 1);
        // What the fast path sees is what the machine says.
        assert_eq!(breaker.is_idle(), run == 0);
    });
}

/// One permit, two callers: one probe, and whichever way it ends the permit is not lost.
#[test]
fn a_permit_is_given_once_and_comes_back() {
    loom::model(|| {
        let breaker = breaker(1);
        breaker.try_acquire().unwrap().failure();
        breaker.probe();
        let probe = |breaker: &CircuitBreaker| breaker.try_acquire().map(drop).is_ok();
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || probe(&breaker))
        };
        let one = probe(&breaker);
        let two = other.join().unwrap();
        assert!(one || two);
        // Dropped without a word: neutral, so still half-open, and the next probe may go.
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
        breaker.try_acquire().unwrap().success();
        assert_eq!(state(&breaker).0, CircuitState::Closed);
    });
}

/// The outcome of a call from before the opening changes nothing after it.
#[test]
fn what_is_stale_changes_nothing() {
    loom::model(|| {
        let breaker = breaker(1);
        let stale = breaker.try_acquire().unwrap();
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || {
                breaker.trip();
                breaker.probe();
                breaker.try_acquire().is_ok()
            })
        };
        stale.success();
        // The probe was granted and dropped without a word.
        assert!(other.join().unwrap());
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
    });
}
