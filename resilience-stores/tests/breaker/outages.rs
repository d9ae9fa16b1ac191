//! A server that dies, hangs or is slow: nobody waits for it, and everybody goes by what he sees
//! himself.

use std::time::Duration;

use crate::process::{Cost, Process};
use crate::processes::on_both;
use crate::servers::Proxy;
use crate::store::{Kind, Store};

const INTERVAL: Duration = Duration::from_millis(50);

/// Whoever waits for a round waits for a hundred milliseconds; what is longer here is a busy
/// machine.
fn is_fast(when: &str, cost: &Cost) {
    let [mean, longest] = [1, 250].map(Duration::from_millis);
    assert!(cost.mean < mean && cost.longest < longest, "{when}: {cost:?}");
}

fn is_local(when: &str, one: &mut Process, two: &mut Process) {
    let cost = two.measure();
    eprintln!("{when}: {cost:?}");
    is_fast(when, &cost);
    one.ask("trip");
    let cost = two.measure();
    is_fast(when, &cost);
    assert!(cost.went_through, "{when}: by itself it has seen no failure");
    // What has opened it closes by its own probe.
    one.ask("accepted");
}

fn is_shared(one: &mut Process, two: &mut Process) {
    // An earlier open state may reach a process late, while its rounds are rare.
    one.ask("closed");
    two.ask("closed");
    two.tell("refused");
    one.ask("trip");
    two.heard();
    two.tell("closed");
    one.ask("accepted");
    two.heard();
}

fn a_server_that_dies_and_comes_back(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two] = [(); 2].map(|()| Process::start(&store.url(), INTERVAL));
    is_shared(&mut one, &mut two);
    store.stop();
    is_local("dead", &mut one, &mut two);
    // It is not there when they start either.
    let [mut three, mut four] = [(); 2].map(|()| Process::start(&store.url(), INTERVAL));
    is_local("not there", &mut three, &mut four);
    store.start_again();
    is_shared(&mut one, &mut two);
    is_shared(&mut three, &mut four);
}

fn a_server_that_is_slow_or_hangs(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let proxy = Proxy::to(store.port());
    let url = store.url_at(proxy.port());
    let [mut one, mut two] = [(); 2].map(|()| Process::start(&url, INTERVAL));
    is_shared(&mut one, &mut two);
    proxy.delay(Duration::from_millis(300));
    is_local("slow", &mut one, &mut two);
    proxy.pass();
    is_shared(&mut one, &mut two);
    proxy.swallow();
    is_local("silent", &mut one, &mut two);
    proxy.pass();
    is_shared(&mut one, &mut two);
}

on_both!(a_server_that_dies_and_comes_back, a_server_that_is_slow_or_hangs);
