//! Several processes and a server.

use std::time::Duration;

use crate::process::{Process, RESET};
use crate::store::{Kind, Store};

/// The scheduling delay of a busy machine.
const SLACK: Duration = Duration::from_millis(400);

/// The decision of one process reaches all processes within the interval.
fn one_decision_reaches_all_processes(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(500);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two, mut three, mut four] =
        [(); 4].map(|()| Process::start(&store.url(), INTERVAL));
    let mut others = [&mut two, &mut three, &mut four];

    for other in &mut others {
        other.tell("refused");
    }
    let opened = one.ask("trip");
    let refused = others.each_mut().map(|other| other.heard().saturating_sub(opened));

    for other in &mut others {
        other.tell("closed");
    }
    let closed = one.ask("accepted");
    let closed_after = others.each_mut().map(|other| other.heard().saturating_sub(closed));

    eprintln!("{kind:?}: refused after {refused:?}, closed after {closed_after:?}");
    for took in refused.iter().chain(&closed_after) {
        assert!(*took <= INTERVAL + SLACK, "{took:?}");
    }
    assert!(closed + SLACK >= opened + RESET, "{opened:?} {closed:?}");
    for other in others {
        assert!(other.measure().went_through);
    }
}

/// The process that opened the breaker is gone: the other processes open and send trial calls
/// themselves.
fn a_killed_process_is_not_awaited(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(50);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two] = [(); 2].map(|()| Process::start(&store.url(), INTERVAL));
    two.tell("refused");
    let opened = one.ask("trip");
    two.heard();
    one.kill();
    // A process that starts later reads the open state as well.
    let mut three = Process::start(&store.url(), INTERVAL);
    three.ask("refused");
    let tried = two.ask("accepted").saturating_sub(opened);
    assert!(tried + SLACK >= RESET && tried <= RESET + INTERVAL * 2 + SLACK, "{tried:?}");
    three.ask("closed");
}

/// One process opens for itself, two processes open all.
fn a_quorum_of_two_processes(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(50);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two, mut three, mut four] =
        [(); 4].map(|()| Process::with_quorum(&store.url(), INTERVAL, 2));
    one.ask("trip");
    // Longer than several intervals.
    for other in [&mut two, &mut three, &mut four] {
        assert!(other.measure().went_through);
    }
    for other in [&mut three, &mut four] {
        other.tell("refused");
    }
    // The first process repeats its vote, if its open time is over by now.
    one.ask("trip");
    two.ask("trip");
    for other in [&mut three, &mut four] {
        other.heard();
    }
    for process in [&mut one, &mut two] {
        process.ask("accepted");
    }
    for other in [&mut three, &mut four] {
        other.ask("closed");
    }
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
