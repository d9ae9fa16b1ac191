//! The rate of trial calls of circuit breakers per key.
//!
//! The published schedule is that of Linkerd's failure accrual ("Circuit Breakers", Linkerd 2.13
//! documentation): an endpoint is removed after 7 consecutive failures; one request probes the
//! endpoint after a penalty of 1 s, which doubles after each failed probe up to 60 s. The schedule
//! allows 14 probes in 10 minutes: at 1, 3, 7, 15, 31 and 63 s, then every 60 s. With a fixed
//! penalty of 30 s, 10 minutes have 20 probes, or 19 that end before the tenth minute does.
//! (Linkerd adds a jitter of at most 50 % to each penalty. Without a jitter the number is exact.)

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use resilience::{circuit_breaker, testing};

use crate::protection::Failed;
use crate::table::Table;

const HOSTS: u32 = 100;
/// Every fourth host is down.
const DOWN: u32 = 4;
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// Each host receives ten calls per second.
const BETWEEN_CALLS: Duration = Duration::from_millis(100);

thread_local! {
    static ARRIVED: RefCell<HashMap<u32, u32>> = RefCell::default();
}

fn host(host: u32) -> Result<(), Failed> {
    ARRIVED.with_borrow_mut(|arrived| *arrived.entry(host).or_default() += 1);
    if host % DOWN == 0 { Err(Failed) } else { Ok(()) }
}

#[circuit_breaker(
    key = name,
    failure_threshold = 7,
    reset_timeout = "1s",
    max_reset_timeout = "60s",
    jitter = 0.0
)]
fn doubling(name: u32) -> Result<(), Failed> {
    host(name)
}

#[circuit_breaker(key = name, failure_threshold = 7, reset_timeout = "30s", jitter = 0.0)]
fn fixed(name: u32) -> Result<(), Failed> {
    host(name)
}

/// One breaker for all hosts.
#[circuit_breaker(failure_rate = 0.2, reset_timeout = "30s", jitter = 0.0)]
fn shared(name: u32) -> Result<(), Failed> {
    host(name)
}

/// Returns the calls that reached each dead host, and the share of calls that reached a healthy
/// host.
fn run(call: fn(u32) -> Result<(), Failed>) -> (Vec<u32>, f64) {
    let (clock, _fresh) = (testing::clock(), testing::fresh_state());
    ARRIVED.take();
    let mut rounds = 0_u32;
    while clock.elapsed() < TEN_MINUTES {
        for host in 0..HOSTS {
            let _ = call(host);
        }
        rounds += 1;
        clock.advance(BETWEEN_CALLS);
    }
    let arrived = ARRIVED.take();
    let count = |host| arrived.get(&host).copied().unwrap_or_default();
    let dead = (0..HOSTS).filter(|host| host % DOWN == 0).map(count).collect();
    let healthy: u32 = (0..HOSTS).filter(|host| host % DOWN != 0).map(count).sum();
    let calls = rounds * (HOSTS - HOSTS / DOWN);
    (dead, f64::from(healthy) / f64::from(calls))
}

#[test]
fn each_dead_key_gets_the_published_number_of_trial_calls_and_healthy_keys_get_all_calls() {
    const FAILURES: u32 = 7;
    let mut table = Table::default();
    table.line("100 hosts, 25 down, 10 min: trial calls per dead host (published), healthy calls");
    for (name, call, published) in [
        ("per host, 1 s doubled up to 60 s", doubling as fn(u32) -> _, 14),
        ("per host, 30 s", fixed, 19),
    ] {
        let (dead, healthy) = run(call);
        let trials: Vec<_> = dead.iter().map(|calls| calls.saturating_sub(FAILURES)).collect();
        let (least, most) = (trials.iter().min(), trials.iter().max());
        table.row(name, [format!("{least:?}–{most:?} ({published})"), format!("{healthy:.3}")]);
        table.hold(
            trials.iter().all(|count| *count == published),
            format_args!("{name}: {least:?} to {most:?} trial calls, not {published}"),
        );
        table.hold(healthy >= 1.0, format_args!("{name}: {healthy} of the healthy calls"));
    }
    let (_, healthy) = run(shared);
    table.row("one breaker for all hosts, 20 %", [String::new(), format!("{healthy:.3}")]);
    table.hold(healthy < 0.5, format_args!("one breaker for all hosts: {healthy}"));
    table.finish();
}
