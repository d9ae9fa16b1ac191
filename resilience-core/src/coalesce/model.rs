//! Every interleaving of two calls of one key.

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Arc;

use loom::thread;

use super::flight::{Member, Turn};
use super::*;

fn key() -> KeyHash {
    KeyHash::of(&7)
}

/// Runs the body and returns the number of the run, or the number of the run of another call.
fn run(coalescer: &Coalescer, runs: &AtomicU32) -> Option<u32> {
    coalesce_blocking(coalescer, key(), None, || Some(runs.fetch_add(1, SeqCst) + 1)).ok()?
}

#[test]
fn two_calls_share_a_run_or_run_one_after_the_other() {
    loom::model(|| {
        let shared = Arc::new((Coalescer::new(), AtomicU32::new(0)));
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || run(&other.0, &other.1));
        let outcomes = [run(&shared.0, &shared.1), other.join().unwrap()];
        let runs = shared.1.load(SeqCst);
        let (first, last) = (outcomes.iter().min().unwrap(), outcomes.iter().max().unwrap());
        // A run for both, or a run for each.
        assert_eq!((*first, *last), (Some(1), Some(runs)));
        assert_eq!((shared.0.running(), shared.0.waiting()), (0, 0));
    });
}

/// The leader is dropped at any time of the other call: the other call never waits forever.
#[test]
fn a_call_takes_over_from_a_leader_that_leaves() {
    loom::model(|| {
        let shared = Arc::new((Coalescer::new(), AtomicU32::new(0)));
        let mut leader = Member::new::<Option<u32>>(&shared.0.flights, key());
        assert!(matches!(leader.turn(None), Some(Turn::Run)));
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || run(&other.0, &other.1));
        drop(leader);
        assert_eq!(other.join().unwrap(), Some(1));
        assert_eq!((shared.0.running(), shared.0.waiting()), (0, 0));
    });
}

/// A panic at any time of the other call: a rejection, or a run after the panic.
#[test]
fn a_panic_rejects_or_comes_before_the_next_run() {
    loom::model(|| {
        let shared = Arc::new((Coalescer::new(), AtomicU32::new(0)));
        let mut leader = Member::new::<Option<u32>>(&shared.0.flights, key());
        assert!(matches!(leader.turn(None), Some(Turn::Run)));
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || run(&other.0, &other.1));
        // Dropped without `end`, as by a panic.
        drop(leader.running());
        drop(leader);
        let outcome = other.join().unwrap();
        assert_eq!(outcome, (shared.1.load(SeqCst) == 1).then_some(1));
        assert_eq!((shared.0.running(), shared.0.waiting()), (0, 0));
    });
}

/// A follower leaves while the leader leaves: the last call removes the flight.
#[test]
fn calls_that_leave_together_leave_nothing_behind() {
    loom::model(|| {
        let shared = Arc::new(Coalescer::new());
        let mut leader = Member::new::<Option<u32>>(&shared.flights, key());
        assert!(matches!(leader.turn(None), Some(Turn::Run)));
        let other = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let mut member = Member::new::<Option<u32>>(&other.flights, key());
            drop(member.turn(None));
            drop(member);
        });
        drop(leader);
        other.join().unwrap();
        assert_eq!((shared.running(), shared.waiting()), (0, 0));
    });
}
