//! Checks every interleaving of a few threads on one breaker.

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use super::events::Hook;
use super::settings::Settings;
use super::slots::Slots;
use super::window::Span;
use super::*;
use crate::classify::FailureClass;
use crate::sync::lock;

fn breaker(failures: u32) -> Arc<CircuitBreaker> {
    let settings =
        Settings { threshold: Some(failures), reset_timeout: Duration::MAX, ..Settings::new() };
    Arc::new(CircuitBreaker::with_settings(settings.resolved()))
}

/// A breaker that opens once all of the last `calls` calls have failed.
fn breaker_with_ring(calls: u32) -> Arc<CircuitBreaker> {
    let settings = Settings {
        rate: Some(1.0),
        window: Some(Span::Calls(calls)),
        min: Some(calls),
        ..Settings::new()
    };
    Arc::new(CircuitBreaker::with_settings(settings.resolved()))
}

fn state(breaker: &CircuitBreaker) -> (CircuitState, u32) {
    let machine = lock(&breaker.state.machine);
    (machine.state, machine.consecutive_failures)
}

/// All failures of several threads count, and every thread sees the open state.
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

/// A success after a failure ends the run of failures; a success before a failure does not.
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
        let (state, failures) = state(&breaker);
        assert_eq!(state, CircuitState::Closed);
        assert!(failures <= 1);
        // The fast path agrees with the machine.
        assert_eq!(breaker.state.flags_but_for(BOUNDED) == 0, failures == 0);
    });
}

/// One permit and two callers: one trial call runs at a time, and the permit is always returned.
#[test]
fn a_permit_is_assigned_once_and_returned() {
    loom::model(|| {
        let breaker = breaker(1);
        breaker.try_acquire().unwrap().failure();
        breaker.probe();
        let running = Arc::new(AtomicUsize::new(0));
        let probe = |breaker: &CircuitBreaker, running: &AtomicUsize| {
            let Ok(guard) = breaker.try_acquire() else { return false };
            assert_eq!(running.fetch_add(1, Relaxed), 0, "one at a time");
            running.fetch_sub(1, Relaxed);
            drop(guard);
            true
        };
        let other = {
            let (breaker, running) = (Arc::clone(&breaker), Arc::clone(&running));
            thread::spawn(move || probe(&breaker, &running))
        };
        let first = probe(&breaker, &running);
        let second = other.join().unwrap();
        assert!(first || second);
        // The guard was dropped without a report: still half-open, and the next trial call may
        // start.
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
        breaker.try_acquire().unwrap().success();
        assert_eq!(state(&breaker).0, CircuitState::Closed);
    });
}

/// A ring of three calls, without a lock while all calls succeed.
#[test]
fn no_call_of_a_window_is_lost_or_counted_twice() {
    loom::model(|| {
        let breaker = breaker_with_ring(3);
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
        // The fourth call evicts the first.
        succeed(&breaker);
        let seen = breaker.snapshot();
        assert_eq!(seen.calls, 3);
        succeed(&breaker);
        succeed(&breaker);
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (3, 0));
    });
}

/// A ring of three calls with a failure in view: most successes take no lock.
#[test]
fn no_call_beside_a_failure_in_view_is_lost_or_counted_twice() {
    loom::model(|| {
        let breaker = breaker_with_ring(3);
        let succeed = |breaker: &CircuitBreaker| breaker.try_acquire().unwrap().success();
        breaker.try_acquire().unwrap().failure();
        succeed(&breaker);
        succeed(&breaker);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || {
                succeed(&breaker);
                succeed(&breaker);
            })
        };
        breaker.try_acquire().unwrap().failure();
        other.join().unwrap();
        // The three calls evict the first three.
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (3, 1));
        for _ in 0..3 {
            succeed(&breaker);
        }
        let seen = breaker.snapshot();
        assert_eq!((seen.calls, seen.failures), (3, 0));
    });
}

/// A ring of one call, overwritten by every call: the failure counts in every order.
#[test]
fn the_only_failure_in_view_opens_the_breaker() {
    loom::model(|| {
        let breaker = breaker_with_ring(1);
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
        // The failure was the last call at some point, and so filled the window.
        assert_eq!((seen.state, seen.failures), (CircuitState::Open, 1));
    });
}

/// The outcome of a call from before the opening changes nothing after the opening.
#[test]
fn a_stale_outcome_changes_nothing() {
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
        // The trial call was admitted, and the guard dropped without a report.
        assert!(other.join().unwrap());
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
    });
}

/// A remote decision does not undo an unpublished local decision.
#[test]
fn a_remote_decision_keeps_an_unpublished_local_one() {
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

/// The changes of two threads reach the hook in order, each once, and the last is the state.
#[test]
fn the_hook_sees_every_change_in_order() {
    loom::model(|| {
        let changes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&changes);
        let hook = move |change: &StateChange| seen.lock().unwrap().push(change.clone());
        let settings = Settings { reset_timeout: Duration::MAX, ..Settings::new() };
        let mut breaker = CircuitBreaker::with_settings(settings.resolved());
        breaker.definition.hook = Some(Hook(std::sync::Arc::new(hook)));
        let breaker = Arc::new(breaker);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.trip())
        };
        breaker.force_open();
        breaker.force_close();
        other.join().unwrap();
        let changes = changes.lock().unwrap();
        assert!(changes.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert!(changes.iter().zip(1..).all(|(change, number)| change.number == number));
        let last = changes.last().map_or(CircuitState::Closed, |change| change.to);
        assert_eq!(last, state(&breaker).0);
        // The published word is that of the state.
        assert_eq!(breaker.try_acquire().is_err(), last == CircuitState::Open);
    });
}

/// A breaker opens by a call of each thread, and is closed by hand: each opening has the failure of
/// its own call.
#[test]
fn each_opening_has_its_own_failure() {
    loom::model(|| {
        let changes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = std::sync::Arc::clone(&changes);
        let hook = move |change: &StateChange| seen.lock().unwrap().push(change.clone());
        let settings = Settings { threshold: Some(1), ..Settings::new() };
        let mut breaker = CircuitBreaker::with_settings(settings.resolved());
        breaker.definition.hook = Some(Hook(std::sync::Arc::new(hook)));
        let breaker = Arc::new(breaker);
        let fail = |breaker: &CircuitBreaker, text: &str| {
            if let Ok(guard) = breaker.try_acquire() {
                guard.report(FailureClass::transient(), &text);
            }
        };
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || fail(&breaker, "other"))
        };
        fail(&breaker, "first");
        breaker.force_close();
        fail(&breaker, "second");
        other.join().unwrap();
        let changes = changes.lock().unwrap();
        assert!(changes.iter().zip(1..).all(|(change, number)| change.number == number));
        let opened = |change: &&StateChange| change.to == CircuitState::Open;
        let mut texts: Vec<_> = changes.iter().filter(opened).map(|c| c.cause.as_deref()).collect();
        assert!(texts.iter().all(Option::is_some), "{texts:?}");
        texts.dedup();
        assert_eq!(texts.len(), changes.iter().filter(opened).count(), "{texts:?}");
        // The last opening is the source of the rejections.
        let cause = breaker.snapshot().cause;
        assert_eq!(cause.as_deref(), texts.last().copied().flatten());
    });
}

/// A trial call with an expired lease and its successor both count: the first answer decides.
#[test]
fn a_late_trial_call_counts_next_to_its_successor() {
    loom::model(|| {
        let settings = Settings {
            threshold: Some(1),
            // Leases end at once.
            reset_timeout: Duration::ZERO,
            ..Settings::new()
        };
        let breaker = Arc::new(CircuitBreaker::with_settings(settings.resolved()));
        breaker.try_acquire().unwrap().failure();
        let late = breaker.try_acquire().unwrap();
        assert_eq!(state(&breaker).0, CircuitState::HalfOpen);
        let other = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || breaker.try_acquire().unwrap().success())
        };
        late.success();
        other.join().unwrap();
        assert_eq!(state(&breaker), (CircuitState::Closed, 0));
    });
}

const LIMIT: Duration = Duration::from_nanos(100);

/// The slots of a breaker that has searched once, at 1000, without a running call.
fn slots() -> Arc<Slots> {
    let slots = Slots::new(LIMIT);
    assert_eq!(search(&slots, 1000), 0);
    Arc::new(slots)
}

fn search(slots: &Slots, now: u64) -> u32 {
    let now = at(now);
    slots.search(0, now, LIMIT, now)
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// A call that starts without the lock beside a search is found once it exceeds the limit.
#[test]
fn no_search_misses_a_call() {
    loom::model(|| {
        let slots = slots();
        let other = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || slots.start(0, at(1050)).is_some())
        };
        search(&slots, 1090);
        let is_admitted = other.join().unwrap();
        let is_found = !slots.are_quiet(at(1151)) && search(&slots, 1151) == 1;
        assert_eq!(is_found, is_admitted);
    });
}

/// A call that ends beside a search beyond its limit either ends in time or counts as overdue.
#[test]
fn a_call_ends_in_time_or_is_overdue() {
    loom::model(|| {
        let slots = slots();
        let place = slots.start(0, at(1050)).unwrap();
        let other = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || slots.end(0, place, at(1100)))
        };
        let overdue = search(&slots, 1151);
        let is_in_time = other.join().unwrap();
        assert_eq!(overdue, u32::from(!is_in_time));
        assert_eq!(slots.take_back(0, place), !is_in_time);
    });
}

/// Two calls never share a slot, and a slot is free again after its call.
#[test]
fn a_slot_has_one_call() {
    loom::model(|| {
        let slots = slots();
        let start = |slots: &Slots| slots.start(0, at(1050)).unwrap();
        let other = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || {
                let place = start(&slots);
                assert!(slots.end(0, place, at(1060)));
                start(&slots)
            })
        };
        let place = start(&slots);
        assert_ne!(place, other.join().unwrap());
        assert_eq!(slots.start(0, at(1050)), None, "a slot for each of the two calls");
        assert_eq!(search(&slots, 1151), 2);
    });
}
