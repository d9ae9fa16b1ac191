//! The hook for state changes: order, numbers, panics, and manual states.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use resilience::{CircuitBreaker, CircuitState, StateChange, testing};

use crate::{Failure, SECOND, Seen, call, fail, is_open, succeed};

fn recorded(breaker: CircuitBreaker) -> (CircuitBreaker, Arc<Mutex<Vec<StateChange>>>) {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&changes);
    let hook = move |change: &StateChange| seen.lock().unwrap().push(change.clone());
    (breaker.on_state_change_with(hook), changes)
}

#[test]
fn changes_of_many_threads_arrive_in_order_and_numbered() {
    let (breaker, changes) = recorded(CircuitBreaker::new().failure_threshold(1));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (breaker, start) = (&breaker, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..2000 {
                    if thread % 2 == 0 { breaker.trip() } else { breaker.force_close() }
                }
            });
        }
    });
    let changes = changes.lock().unwrap();
    assert!(!changes.is_empty());
    for (index, pair) in changes.windows(2).enumerate() {
        assert_eq!(pair[0].to, pair[1].from, "change {index}");
    }
    let numbers: Vec<u64> = changes.iter().map(|change| change.number).collect();
    assert_eq!(numbers, (1..=changes.len() as u64).collect::<Vec<_>>());
    assert_eq!(changes.last().unwrap().to, breaker.state());
}

/// A slow hook must not let a later change overtake.
#[test]
fn a_change_during_a_hook_is_delivered_after_the_hook() {
    let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let changes = Arc::new(Mutex::new(Vec::new()));
    let hook = {
        let (entered, leave, changes) =
            (Arc::clone(&entered), Arc::clone(&leave), Arc::clone(&changes));
        move |change: &StateChange| {
            if change.number == 1 {
                entered.wait();
                leave.wait();
            }
            changes.lock().unwrap().push(change.to);
        }
    };
    let breaker = CircuitBreaker::new().on_state_change_with(hook);
    thread::scope(|scope| {
        scope.spawn(|| breaker.trip());
        entered.wait();
        breaker.force_close(); // does not wait for the hook
        assert!(changes.lock().unwrap().is_empty());
        leave.wait();
    });
    assert_eq!(*changes.lock().unwrap(), [CircuitState::Open, CircuitState::Closed]);
}

#[test]
fn the_state_is_visible_in_the_hook() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(1).on_state_change(|change| {
            assert_eq!(BREAKER.state(), change.to);
            assert_eq!(BREAKER.try_acquire().is_err(), change.to == CircuitState::Open);
            SEEN.fetch_add(1, SeqCst);
        });
    static SEEN: AtomicU32 = AtomicU32::new(0);
    fail(&BREAKER, 1);
    BREAKER.force_close();
    assert_eq!(SEEN.load(SeqCst), 2);
}

#[test]
fn a_hook_may_change_the_breaker() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().on_state_change(|change| {
        SEEN.fetch_add(1, SeqCst);
        if change.to == CircuitState::Open {
            BREAKER.force_close();
        }
    });
    static SEEN: AtomicU32 = AtomicU32::new(0);
    BREAKER.trip();
    assert_eq!((BREAKER.state(), SEEN.load(SeqCst)), (CircuitState::Closed, 2));
}

#[test]
fn a_panic_in_the_hook_changes_nothing_and_later_changes_arrive() {
    let seen = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&seen);
    let breaker = CircuitBreaker::new().failure_threshold(1).on_state_change_with(move |_| {
        counted.fetch_add(1, SeqCst);
        panic!("in the hook");
    });
    fail(&breaker, 1);
    assert!(is_open(&breaker));
    breaker.force_close();
    succeed(&breaker, 1);
    assert_eq!(seen.load(SeqCst), 2);
}

#[test]
fn no_hook_runs_during_unwinding() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let changes = Arc::clone(&seen);
    let breaker = CircuitBreaker::new().failure_threshold(1).on_state_change_with(move |change| {
        changes.lock().unwrap().push((change.to, thread::panicking()));
        panic!("a second panic would abort the process during unwinding");
    });
    let body = || -> Result<(), Failure> { panic!("in the body") };
    assert!(catch_unwind(AssertUnwindSafe(|| breaker.run(body))).is_err());
    assert!(seen.lock().unwrap().is_empty(), "the change waits for the next use");
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(Some(_))));
    assert_eq!(*seen.lock().unwrap(), [(CircuitState::Open, false)]);
    // After the delivery the breaker rejects without its lock again.
    assert!(matches!(call(&breaker, Ok(())), Seen::Rejected(Some(_))));
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn a_snapshot_delivers_a_change_that_waits() {
    let (breaker, changes) = recorded(CircuitBreaker::new().failure_threshold(1));
    let body = || -> Result<(), Failure> { panic!("in the body") };
    assert!(catch_unwind(AssertUnwindSafe(|| breaker.run(body))).is_err());
    assert_eq!(breaker.snapshot().state, CircuitState::Open);
    assert_eq!(changes.lock().unwrap().len(), 1);
}

#[test]
fn only_manual_control_ends_a_manual_state() {
    let clock = testing::clock();
    for (force, state) in [
        (CircuitBreaker::force_open as fn(&CircuitBreaker), CircuitState::ForcedOpen),
        (CircuitBreaker::disable, CircuitState::Disabled),
    ] {
        let breaker = CircuitBreaker::new().failure_threshold(1).reset_timeout(SECOND);
        fail(&breaker, 1);
        clock.advance(SECOND);
        let trial = breaker.try_acquire().unwrap();
        force(&breaker);
        trial.success();
        breaker.trip();
        clock.advance(Duration::from_secs(3600));
        let _ = call(&breaker, Err(Failure::Down));
        breaker.trip();
        assert_eq!(breaker.state(), state);
        breaker.force_close();
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}
