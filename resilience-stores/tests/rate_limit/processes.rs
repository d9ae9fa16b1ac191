//! Several processes and a server. The bound holds for any timing, so no assertion about it depends
//! on the speed of the machine.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::fleet::excess;
use crate::process::{BURST, Process, RATE};
use crate::servers::{Proxy, until};
use crate::store::{Kind, Store};

const BUSY: Duration = Duration::from_micros(500);
const IDLE: Duration = Duration::from_hours(1);

type Times = Arc<Mutex<Vec<Duration>>>;

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Checks the bound of the documentation over all intervals of time.
fn check_bound(kind: Kind, times: &Times, processes: u32) {
    let mut times = times.lock().unwrap().clone();
    // The first calls of processes that start before their first lease are part of the bound.
    let excess = excess(&mut times, RATE);
    eprintln!("{kind:?}: {} calls, {excess:.1} above the rate", times.len());
    assert!(excess <= f64::from(BURST + processes), "{kind:?}: {excess} calls above the rate");
}

/// Waits until all processes together have made some calls from now on.
fn wait_for_calls(times: &Times, calls: usize) {
    let before = times.lock().unwrap().len();
    until("further calls", || times.lock().unwrap().len() >= before + calls);
}

/// Busy, idle, killed and restarted processes use one rate.
fn killed_processes_lose_their_slices(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let times = Times::default();
    let start = |pause| Process::start(&store.url(), pause, &times);
    let [one, two, three] = [(); 3].map(|()| start(BUSY));
    let idle = start(IDLE);
    wait_for_calls(&times, 300);
    for process in [&one, &two, &three] {
        assert!(process.calls() > 10, "{kind:?}: {} calls", process.calls());
    }
    assert!(idle.calls() <= 1);
    drop(one);
    drop(two);
    // The rate recovers: the remaining process makes almost all calls of the rate again.
    let mut rates = Vec::new();
    until("the rate of the killed processes", || {
        let (before, start) = (three.calls(), now());
        std::thread::sleep(Duration::from_millis(300));
        let calls = f64::from(u32::try_from(three.calls() - before).unwrap());
        let rate = calls / now().saturating_sub(start).as_secs_f64();
        rates.push(rate);
        rate > 0.85 * f64::from(RATE)
    });
    eprintln!("{kind:?}: {rates:?}");
    let four = start(BUSY);
    until("calls of the new process", || four.calls() > 30);
    drop((three, idle, four));
    check_bound(kind, &times, 5);
}

/// A server that is away, and comes back: each process uses its equal part meanwhile.
fn an_outage_keeps_the_rate(kind: Kind) {
    let Some(store) = Store::start(kind) else { return };
    let proxy = Proxy::to(store.port());
    let times = Times::default();
    let processes = [(); 3].map(|()| Process::start(&store.url_at(proxy.port()), BUSY, &times));
    wait_for_calls(&times, 200);
    store.stop();
    proxy.cut();
    // Longer than the leases at the highest rate.
    wait_for_calls(&times, 400);
    store.start_again();
    wait_for_calls(&times, 300);
    drop(processes);
    check_bound(kind, &times, 3);
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

on_both!(killed_processes_lose_their_slices, an_outage_keeps_the_rate);
