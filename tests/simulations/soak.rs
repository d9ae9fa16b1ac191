//! A virtual month of calls to hosts that come, fail, recover and go.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use resilience::{Rejected, circuit_breaker, key_tables, retry, testing};

use crate::random::Random;
use crate::table::Table;

const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
const BETWEEN_CALLS: Duration = Duration::from_secs(5);
const BETWEEN_OUTAGES: Duration = Duration::from_secs(600);
const MAX_OPEN: Duration = Duration::from_secs(300);
/// Hosts at a time. Every hour the ten oldest hosts are replaced.
const HOSTS: u64 = 50;
const REPLACED_PER_HOUR: u64 = 10;

#[derive(Debug)]
enum Failed {
    Down,
    Rejected,
}

impl From<Rejected> for Failed {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

/// The hosts that are down, with the ends of their outages, and the attempts that arrived.
struct World {
    clock: testing::Clock,
    down_until: RefCell<HashMap<u64, Duration>>,
    attempts: Cell<u32>,
}

impl World {
    /// Returns the time since the end of the last outage of a host that ever failed.
    fn healthy_for(&self, host: u64) -> Option<Duration> {
        let end = self.down_until.borrow().get(&host).copied()?;
        Some(self.clock.elapsed().saturating_sub(end))
    }

    fn answer(&self, host: u64) -> Result<(), Failed> {
        self.attempts.set(self.attempts.get() + 1);
        let end = self.down_until.borrow().get(&host).copied().unwrap_or_default();
        if self.clock.elapsed() < end { Err(Failed::Down) } else { Ok(()) }
    }
}

#[retry(attempts = 3, budget, on = |error| matches!(error, Failed::Down))]
#[circuit_breaker(
    key = host,
    max_keys = 1000,
    failure_threshold = 5,
    reset_timeout = "30s",
    max_reset_timeout = "5m",
    name = "soak"
)]
fn call(host: u64, world: &World) -> Result<(), Failed> {
    world.answer(host)
}

#[test]
fn a_month_of_outages_leaves_no_circuit_open_and_no_table_full() {
    let (_fresh, _draws) = (testing::fresh_state(), testing::seed(3));
    let world =
        World { clock: testing::clock(), down_until: RefCell::default(), attempts: Cell::new(0) };
    let mut random = Random::new(3);
    let (mut calls, mut failures, mut rejections) = (0_u32, 0_u32, 0_u32);
    let mut seen = HashSet::new();
    let mut next_outage = BETWEEN_OUTAGES;
    let mut table = Table::default();
    while world.clock.elapsed() < MONTH {
        let now = world.clock.elapsed();
        let oldest = now.as_secs() / 3600 * REPLACED_PER_HOUR;
        if now >= next_outage {
            next_outage += BETWEEN_OUTAGES;
            let length = Duration::from_secs(600 + random.word() % 14_400);
            world.down_until.borrow_mut().insert(oldest + random.word() % HOSTS, now + length);
        }
        let host = oldest + random.word() % HOSTS;
        seen.insert(host);
        calls += 1;
        let healthy_for = world.healthy_for(host);
        match call(host, &world) {
            Ok(()) => {}
            Err(Failed::Down) => failures += 1,
            Err(Failed::Rejected) => {
                rejections += 1;
                table.hold(
                    healthy_for.is_some_and(|time| time < MAX_OPEN),
                    format_args!("host {host} is healthy for {healthy_for:?} and rejected"),
                );
            }
        }
        world.clock.advance(BETWEEN_CALLS);
    }
    let keys = key_tables().into_iter().find(|table| table.name == "soak").expect("a table");
    let load = f64::from(world.attempts.get()) / f64::from(calls);
    table.line(format_args!(
        "30 days: {calls} calls to {} hosts, {failures} failures, {rejections} rejections, {load:.3} \
         attempts per call, {} of {} keys",
        seen.len(),
        keys.keys,
        keys.max_keys
    ));
    table.hold(seen.len() > 5000 && failures > 1000 && rejections > 1000, "too little happened");
    table.hold(keys.overflow_calls == 0, format_args!("{keys:?}"));
    table.hold(load < 1.1, format_args!("{load} attempts per call"));
    table.finish();
}
