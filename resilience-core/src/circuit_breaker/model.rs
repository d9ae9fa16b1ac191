//! Every interleaving of a few threads on one breaker.

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::settings::Settings;
use super::*;

fn breaker(failures: u32) -> Arc<CircuitBreaker> {
    let settings = Settings::new().failure_threshold(failures).reset_timeout(Duration::MAX);
    Arc::new(CircuitBreaker::with_settings(settings))
}

fn state(breaker: &CircuitBreaker) -> (CircuitState, u32) {
    let machine = lock(&breaker.machine);
    (machine.state, machine.consecutive_failures)
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
        let under_way = Arc::new(AtomicUsize::new(0));
        let probe = |breaker: &CircuitBreaker, under_way: &AtomicUsize| {
            let Ok(guard) = breaker.try_acquire() else { return false };
            assert_eq!(under_way.fetch_add(1, Relaxed), 0, "one at a time");
            under_way.fetch_sub(1, Relaxed);
            drop(guard);
            true
        };
        let other = {
            let (breaker, under_way) = (Arc::clone(&breaker), Arc::clone(&under_way));
            thread::spawn(move || probe(&breaker, &under_way))
        };
        let one = probe(&breaker, &under_way);
        let two = other.join().unwrap();
        assert!(one || two);
        // Dropped without a word: neutral, so still half-open, and the next probe may go.
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
        breaker.try_acquire().unwrap().success();
        assert_eq!(state(&breaker).0, CircuitState::Closed);
    });
}

/// A ring of three calls of which nobody takes a lock while there are only successes.
#[test]
fn no_call_of_a_window_is_lost_or_counted_twice() {
    loom::model(|| {
        let settings = Settings::new().failure_rate(1.0).count_window(3).min_calls(3);
        let breaker = Arc::new(CircuitBreaker::with_settings(settings));
        let succeed = |breaker: &CircuitBreaker| breaker.try_acquire().unwrap().success();
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || {
                succeed(&breaker);
                succeed(&breaker);
            })
        };
        breaker.try_acquire().unwrap().failure();
        other.join().unwrap();
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (3, 1));
        // The fourth pushes the first out, whichever that was.
        succeed(&breaker);
        let seen = breaker.snapshot();
        assert_eq!(seen.calls, 3);
        succeed(&breaker);
        succeed(&breaker);
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (3, 0));
    });
}

/// A ring of one call, which every call writes again: whichever comes first, the failure is seen.
#[test]
fn the_only_failure_in_view_opens_it() {
    loom::model(|| {
        let settings = Settings::new().failure_rate(1.0).count_window(1).min_calls(1);
        let breaker = Arc::new(CircuitBreaker::with_settings(settings));
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || {
                if let Ok(guard) = breaker.try_acquire() {
                    guard.success();
                }
            })
        };
        breaker.try_acquire().unwrap().failure();
        other.join().unwrap();
        let seen = breaker.snapshot();
        // It was the last call for an instant at least, and that is all of the window.
        assert_eq!((seen.state, seen.failures), (CircuitState::Open, 1));
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

/// What was decided here is not undone by what comes from elsewhere, as long as nobody there knows of it.
#[test]
fn news_is_not_lost_to_what_comes_from_elsewhere() {
    loom::model(|| {
        let breaker = breaker(1);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.apply_remote(CircuitDecision::Open(Duration::MAX), None))
        };
        if let Ok(guard) = breaker.try_acquire() {
            guard.failure();
        }
        let closes = breaker.apply_remote(CircuitDecision::Closed, None);
        other.join().unwrap();
        assert_eq!(breaker.local_decision().is_none(), closes);
        assert!(closes || state(&breaker).0 == CircuitState::Open);
    });
}
