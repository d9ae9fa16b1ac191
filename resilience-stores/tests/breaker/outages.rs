//! A server that dies, hangs or is slow: no call waits for the server, and each process decides by
//! its own calls.

use std::time::Duration;

use crate::process::{Cost, Process};
use crate::processes::{ROUNDS, on_both, open_in_all};
use crate::servers::{Proxy, Redis, until};
use crate::store::{Kind, Store};

const INTERVAL: Duration = Duration::from_millis(50);

/// Asserts that calls do not wait for the synchronization, a round of which takes at least 100 ms
/// here.
///
/// A busy machine disturbs some measurements; calls that wait disturb each measurement.
fn is_fast(when: &str, process: &mut Process) -> Cost {
    let [mean, longest] = [1, 250].map(Duration::from_millis);
    let mut costs = Vec::new();
    for _ in 0..ROUNDS {
        let cost = process.measure();
        if cost.mean < mean && cost.longest < longest {
            return cost;
        }
        costs.push(cost);
    }
    panic!("{when}: {costs:?}")
}

/// Asserts that each process decides by its own calls.
fn is_local(when: &str, one: &mut Process, two: &mut Process) {
    let cost = is_fast(when, two);
    eprintln!("{when}: {cost:?}");
    one.ask("open");
    let cost = is_fast(when, two);
    assert!(cost.all_executed, "{when}: this process has seen no failure");
    // The breaker closes by its own probe.
    one.ask("executed");
}

/// Asserts that a state of one process reaches the other process.
fn is_shared(one: &mut Process, two: &mut Process) {
    open_in_all(one, &mut [two]);
    two.tell("closed");
    one.ask("executed");
    two.heard();
}

fn a_server_that_dies_and_comes_back(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let [mut one, mut two] = [(); 2].map(|()| Process::joined(&store.url(), INTERVAL));
    is_shared(&mut one, &mut two);
    store.stop();
    is_local("dead", &mut one, &mut two);
    // These processes start without a server.
    let [mut three, mut four] = [(); 2].map(|()| Process::joined(&store.url(), INTERVAL));
    is_local("not there", &mut three, &mut four);
    store.start_again();
    is_shared(&mut one, &mut two);
    is_shared(&mut three, &mut four);
}

fn a_server_that_is_slow_or_hangs(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let proxy = Proxy::to(store.port());
    let url = store.url_at(proxy.port());
    let [mut one, mut two] = [(); 2].map(|()| Process::joined(&url, INTERVAL));
    is_shared(&mut one, &mut two);
    // Far beyond the timeout of a round, so that no answer counts.
    proxy.delay(Duration::from_secs(5));
    is_local("slow", &mut one, &mut two);
    proxy.pass();
    is_shared(&mut one, &mut two);
    proxy.swallow();
    is_local("silent", &mut one, &mut two);
    proxy.pass();
    is_shared(&mut one, &mut two);
}

/// A failover: the name of the server leads to the new primary, and the old primary becomes a
/// replica and keeps its connections.
#[test]
fn a_demoted_primary_is_left() {
    let Some(old) = Redis::start(&["--repl-diskless-sync-delay", "0"]) else { return };
    let (old_port, host) = (old.port().to_string(), "127.0.0.1");
    let Some(new) = Redis::start(&["--replicaof", host, &old_port]) else { return };
    let admin = |server: &Redis, command: &[&str]| -> String {
        let mut connection = ::redis::Client::open(server.url()).unwrap().get_connection().unwrap();
        ::redis::cmd(command[0]).arg(&command[1..]).query(&mut connection).unwrap()
    };
    until("a replica", || admin(&old, &["INFO", "replication"]).contains("state=online"));
    let proxy = Proxy::to(old.port());
    let [mut one, mut two] =
        [(); 2].map(|()| Process::joined(&Redis::url_at(proxy.port()), INTERVAL));
    is_shared(&mut one, &mut two);
    admin(&new, &["REPLICAOF", "NO", "ONE"]);
    proxy.lead_to(new.port());
    admin(&old, &["REPLICAOF", host, &new.port().to_string()]);
    is_shared(&mut one, &mut two);
    let clients = admin(&new, &["CLIENT", "LIST"]);
    assert!(clients.matches("cmd=eval").count() >= 2, "both processes are on {clients}");
}

on_both!(a_server_that_dies_and_comes_back, a_server_that_is_slow_or_hangs);
