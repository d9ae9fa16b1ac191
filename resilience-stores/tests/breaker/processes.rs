//! Several processes and a server.

use std::time::Duration;

use crate::process::{Process, RESET};
use crate::store::{Kind, Store};

/// What a busy machine may take until a process runs that could.
const SLACK: Duration = Duration::from_millis(400);

/// What becomes of one is what becomes of all, within the interval.
fn one_speaks_for_all(kind: Kind) {
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

/// Who opened it is gone: the others open, and try by themselves.
fn one_that_dies_is_not_waited_for(kind: Kind) {
    const INTERVAL: Duration = Duration::from_millis(50);
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two] = [(); 2].map(|()| Process::start(&store.url(), INTERVAL));
    two.tell("refused");
    let opened = one.ask("trip");
    two.heard();
    one.kill();
    // One that comes later hears of it as well.
    let mut three = Process::start(&store.url(), INTERVAL);
    three.ask("refused");
    let tried = two.ask("accepted").saturating_sub(opened);
    assert!(tried + SLACK >= RESET && tried <= RESET + INTERVAL * 2 + SLACK, "{tried:?}");
    three.ask("closed");
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

on_both!(one_speaks_for_all, one_that_dies_is_not_waited_for);
