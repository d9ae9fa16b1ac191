//! Several processes and a server.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::process::{Process, RESET};
use crate::store::{Kind, Store};

/// How often a test repeats a measurement that a busy machine can disturb.
pub(crate) const ROUNDS: u32 = 20;

/// Opens the breaker of one process and waits until the breakers of the others are open.
///
/// Returns the time at which each breaker was first seen open. The state ends after the open time,
/// and a process on a busy machine or without a connection can read the state later than that:
/// then the breaker opens again.
pub(crate) fn open_in_all(
    one: &mut Process,
    others: &mut [&mut Process],
) -> (Duration, Vec<Duration>) {
    for _ in 0..ROUNDS * 5 {
        for other in &mut *others {
            other.tell("rejected within the open time");
        }
        let opened = one.ask("open");
        let rejected: Vec<Duration> = others.iter_mut().map(|other| other.heard()).collect();
        if rejected.iter().all(|time| !time.is_zero()) {
            return (opened, rejected);
        }
        one.ask("executed");
    }
    panic!("the state never reaches the other processes")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// A state of one process is the state of all processes, within the interval.
fn one_decision_reaches_all_processes(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(500);
    const SLACK: Duration = Duration::from_millis(300);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two, mut three, mut four] =
        [(); 4].map(|()| Process::joined(&store.url(), INTERVAL));
    let mut others = [&mut two, &mut three, &mut four];
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = now();
        let (opened, rejected) = open_in_all(&mut one, &mut others);
        for other in &mut others {
            other.tell("closed");
        }
        let closed = one.ask("executed");
        let mut latest = Duration::ZERO;
        for time in rejected {
            latest = latest.max(time.saturating_sub(opened));
        }
        for other in &mut others {
            latest = latest.max(other.heard().saturating_sub(closed));
        }
        assert!(
            closed >= start + RESET,
            "the breaker was open for {:?}",
            closed.saturating_sub(start)
        );
        // A busy machine delays some rounds.
        if latest <= INTERVAL + SLACK {
            eprintln!("{kind:?}: {latest:?}");
            assert!(others.iter_mut().any(|other| other.measure().all_executed));
            return;
        }
        rounds.push(latest);
    }
    panic!("{kind:?}: {rounds:?}");
}

/// The process that opened the breaker is gone: the others reject, and then try by themselves.
fn a_killed_process_is_not_awaited(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(50);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two] = [(); 2].map(|()| Process::joined(&store.url(), INTERVAL));
    for process in [&mut one, &mut two] {
        process.ask("join refunds");
    }
    let start = now();
    one.ask("open refunds");
    two.ask("refunds rejected");
    let _ = open_in_all(&mut one, &mut [&mut two]);
    one.kill();
    // A process that starts later reads the state as well.
    let mut three = Process::start(&store.url(), INTERVAL);
    three.ask("refunds rejected");
    three.ask("executed");
    let tried = two.ask("executed");
    assert!(tried >= start + RESET, "the breaker was open for {:?}", tried.saturating_sub(start));
    // This process may apply the vote of the killed process after the trial call of the other, and
    // between two of its own calls. The open time here then ends with a later call.
    three.ask("closed by calls");
}

/// One process opens for itself, two processes open all.
fn a_quorum_of_two_processes(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(50);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two, mut three, mut four] =
        [(); 4].map(|()| Process::with_quorum(&store.url(), INTERVAL, 2));
    for process in [&mut one, &mut two, &mut three, &mut four] {
        process.ask("executed");
    }
    one.ask("open");
    // Longer than several intervals.
    for other in [&mut two, &mut three, &mut four] {
        assert!(other.measure().all_executed);
    }
    for _ in 0..ROUNDS {
        for process in [&mut one, &mut two] {
            process.ask("executed");
        }
        for other in [&mut three, &mut four] {
            other.tell("rejected within the open time");
        }
        one.ask("open");
        two.ask("open");
        let rejected = [three.heard(), four.heard()];
        if rejected.iter().all(|time| !time.is_zero()) {
            for process in [&mut one, &mut two] {
                process.ask("executed");
            }
            for other in [&mut three, &mut four] {
                other.ask("closed");
            }
            return;
        }
    }
    panic!("two votes never open the other processes");
}

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod redis {
            $(#[test] fn $test() { super::$test(crate::store::Kind::Redis); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::$test(crate::store::Kind::Postgres); })*
        }
    };
}
pub(crate) use on_both;

on_both!(
    one_decision_reaches_all_processes,
    a_killed_process_is_not_awaited,
    a_quorum_of_two_processes,
);
