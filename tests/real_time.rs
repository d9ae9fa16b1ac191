//! All policies under the clock of the system: memory stays flat, counters agree, circuits close.
//! `RESILIENCE_SOAK=30 cargo test --test real_time -- --ignored --nocapture` runs 30 minutes.

#![cfg(feature = "idempotent")]
#![allow(clippy::print_stdout, reason = "the figures of a run are its result")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use resilience::{
    CircuitState, PolicyKind, PolicyReport, Rejected, RejectedKind, bulkhead, circuit_breaker,
    coalesce, hedge, idempotent, policies, rate_limit, retry, timeout,
};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{interval, sleep};

const HOSTS: u64 = 20;
const MAX_OPEN: Duration = Duration::from_secs(2);
/// The time that a busy machine may take between a failure and the record of the failure.
const SLACK: Duration = Duration::from_secs(5);
const OUTCOMES: [&str; 4] = ["admitted", "rejected", "overdue", "cancelled"];

static IS_ENDING: AtomicBool = AtomicBool::new(false);
static STARTED: AtomicU64 = AtomicU64::new(0);
static STARTED_IN_THREADS: AtomicU64 = AtomicU64::new(0);
static EFFECTS: AtomicU64 = AtomicU64::new(0);
static LATE: AtomicU64 = AtomicU64::new(0);
static FAILURES: Mutex<Option<HashMap<u64, Instant>>> = Mutex::new(None);

#[derive(Debug)]
enum Failed {
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

fn is_transient(failed: &Failed) -> bool {
    match failed {
        Failed::Down => true,
        Failed::Rejected(rejected) => rejected.kind() == RejectedKind::TimedOut,
    }
}

/// Records a failure of a host, unless the body reached its end.
struct Attempt {
    host: u64,
    succeeded: bool,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.succeeded {
            let mut failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
            let failures = failures.get_or_insert_default();
            failures.retain(|_, at| at.elapsed() < Duration::from_secs(60));
            failures.insert(self.host, Instant::now());
        }
    }
}

/// Each host is down for 5 seconds of a minute.
fn is_down(host: u64, start: Instant) -> bool {
    !IS_ENDING.load(Relaxed) && (start.elapsed().as_secs() + 3 * host) % 60 < 5
}

#[retry(attempts = 3, base_delay = "5ms", max_delay = "50ms", deadline = "2s", budget, on = is_transient)]
#[circuit_breaker(
    key = host,
    max_keys = 100,
    failure_threshold = 5,
    reset_timeout = "500ms",
    max_reset_timeout = "2s",
    on = is_transient,
    name = "soak"
)]
#[rate_limit(rate = 150, burst = 20, wait = "100ms", name = "soak")]
#[bulkhead(max = 4, queue = 8, wait = "100ms", name = "soak")]
#[timeout("200ms", name = "soak")]
async fn call(host: u64, number: u64, start: Instant) -> Result<(), Failed> {
    STARTED.fetch_add(1, Relaxed);
    let mut attempt = Attempt { host, succeeded: false };
    // Each hundredth call hangs.
    let time = if number % 100 == 99 { Duration::from_secs(9) } else { Duration::from_millis(2) };
    sleep(time).await;
    attempt.succeeded = !is_down(host, start);
    if attempt.succeeded { Ok(()) } else { Err(Failed::Down) }
}

#[retry(attempts = 2, base_delay = "2ms", on = is_transient)]
#[circuit_breaker(failure_threshold = 5, reset_timeout = "200ms", on = is_transient, name = "threads")]
#[bulkhead(max = 1, queue = 1, wait = "20ms", name = "threads")]
fn call_in_thread(host: u64, start: Instant) -> Result<(), Failed> {
    STARTED_IN_THREADS.fetch_add(1, Relaxed);
    thread::sleep(Duration::from_millis(1));
    if is_down(host, start) { Err(Failed::Down) } else { Ok(()) }
}

#[coalesce(key = item)]
#[hedge(after = "5ms", max = 1, idempotent)]
async fn read(item: u64) -> Result<u64, Rejected> {
    sleep(Duration::from_millis(if item % 10 == 0 { 20 } else { 1 })).await;
    Ok(item)
}

#[idempotent(key = order.to_string(), scope = "global", ttl = "15s", lease = "10s")]
async fn order(order: u64) -> Result<u64, Rejected> {
    EFFECTS.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(1)).await;
    Ok(order)
}

/// Calls, and counts a circuit that is open for too long after the last failure of the host.
async fn checked_call(number: u64, start: Instant) {
    // A host leaves every second, and a new host comes.
    let host = start.elapsed().as_secs() + number % HOSTS;
    let before = Instant::now();
    if let Err(Failed::Rejected(rejected)) = call(host, number, start).await {
        let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
        let last = failures.as_ref().and_then(|failures| failures.get(&host).copied());
        let healthy = last.map_or(Duration::MAX, |last| before.saturating_duration_since(last));
        if rejected.kind() == RejectedKind::CircuitOpen && healthy > MAX_OPEN + SLACK {
            eprintln!("{rejected}: host {host} works since {healthy:?}");
            LATE.fetch_add(1, Relaxed);
        }
    }
}

/// Makes about 600 calls a second, and returns the number of orders.
async fn drive(start: Instant, time: Duration) -> u64 {
    let mut ticks = interval(Duration::from_millis(10));
    let (mut number, mut tasks) = (0, JoinSet::new());
    while start.elapsed() < time + MAX_OPEN + SLACK {
        ticks.tick().await;
        number += 1;
        IS_ENDING.store(start.elapsed() >= time, Relaxed);
        let task = tasks.spawn(checked_call(number, start));
        if number % 10 == 0 {
            sleep(Duration::from_millis(1)).await;
            task.abort();
        }
        for _ in 0..2 {
            tasks.spawn(async move { assert_eq!(read(number).await, Ok(number)) });
            tasks.spawn(async move { assert_eq!(order(number).await, Ok(number)) });
        }
        while let Some(ended) = tasks.try_join_next() {
            check(&ended);
        }
    }
    while let Some(ended) = tasks.join_next().await {
        check(&ended);
    }
    // Every circuit closes within the longest open time after the last outage.
    for host in 0..HOSTS {
        call(start.elapsed().as_secs() + host, 0, start).await.expect("a closed circuit");
    }
    number
}

/// Checks that a task reached the end, or was aborted.
fn check(ended: &Result<(), JoinError>) {
    assert!(ended.as_ref().err().is_none_or(JoinError::is_cancelled), "{ended:?}");
}

fn report(name: &str, kind: PolicyKind) -> PolicyReport {
    let is_it = |report: &PolicyReport| report.name.ends_with(name) && report.kind == kind;
    policies().into_iter().find(is_it).expect("a listed policy")
}

/// Returns the number of calls with one of the outcomes.
fn calls<const N: usize>(report: &PolicyReport, outcomes: [&str; N]) -> u64 {
    outcomes.iter().map(|outcome| report.count("resilience.calls", &[outcome])).sum()
}

/// Returns the resident memory of this process in KiB.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
#[ignore = "runs in real time"]
fn minutes_of_outages_leave_no_memory_no_permit_and_no_open_circuit() {
    let minutes = env::var("RESILIENCE_SOAK").ok().and_then(|minutes| minutes.parse().ok());
    let time = Duration::from_secs(60 * minutes.unwrap_or(1));
    let (start, ends) = (Instant::now(), time + MAX_OPEN + SLACK);
    // From here on, each policy counts all calls.
    assert_eq!(policies(), []);
    let threads = [0, 1, 2].map(|host| {
        thread::spawn(move || {
            let mut calls = 0_u64;
            while start.elapsed() < ends {
                let _outcome = call_in_thread(host, start);
                calls += 1;
                thread::sleep(Duration::from_millis(20));
            }
            calls
        })
    });
    let memory = thread::spawn(move || {
        let mut samples = Vec::new();
        while start.elapsed() < time {
            samples.extend(memory());
            thread::sleep(Duration::from_secs(1));
        }
        samples
    });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let orders = runtime.expect("a runtime").block_on(drive(start, time));
    let in_threads: u64 = threads.map(|thread| thread.join().expect("no panic")).iter().sum();

    let [breaker, limit, bulkhead, timeout] = [
        PolicyKind::CircuitBreaker,
        PolicyKind::RateLimit,
        PolicyKind::Bulkhead,
        PolicyKind::Timeout,
    ]
    .map(|kind| report("soak", kind));
    println!("{orders} orders, {in_threads} calls in threads, {} attempts", STARTED.load(Relaxed));
    for report in policies() {
        let figures = report.figures.iter().filter(|figure| figure.value.as_u64() > 0);
        let figures: Vec<_> =
            figures.map(|figure| (&figure.labels, figure.value.as_u64())).collect();
        println!("{} {}: {figures:?}", report.name, report.kind.as_str());
    }
    assert_eq!(LATE.load(Relaxed), 0, "rejections by a circuit that should be closed");
    // A timeout does not start a body after the deadline of the retry.
    let not_started = calls(&timeout, ["overdue"]);
    assert_eq!(calls(&bulkhead, ["admitted"]), STARTED.load(Relaxed) + not_started);
    assert_eq!(calls(&limit, ["admitted"]), calls(&bulkhead, OUTCOMES));
    let admitted = calls(&breaker, ["success", "failure", "ignored", "cancelled"]);
    assert_eq!(admitted, calls(&limit, OUTCOMES));
    for (report, gauge) in [(&bulkhead, "in_flight"), (&bulkhead, "queued")] {
        assert_eq!(report.gauge(&format!("resilience.bulkhead.{gauge}")), Some(0));
    }
    assert_eq!(limit.gauge("resilience.rate_limit.queued"), Some(0));
    let threads = report("threads", PolicyKind::Bulkhead);
    assert_eq!(calls(&threads, ["admitted"]), STARTED_IN_THREADS.load(Relaxed));
    let state = report("threads", PolicyKind::CircuitBreaker).state;
    assert_eq!(state, Some(CircuitState::Closed));
    let order = report("order", PolicyKind::Idempotent);
    assert_eq!([EFFECTS.load(Relaxed), calls(&order, ["replayed"])], [orders; 2]);
    let read = report("read", PolicyKind::Coalesce);
    assert_eq!(calls(&read, ["executed", "shared"]), 2 * orders);

    let samples = memory.join().expect("no panic");
    if let [_, middle, last] = samples.chunks(samples.len().div_ceil(3)).collect::<Vec<_>>()[..] {
        let [middle, last] = [middle, last].map(|part| part.iter().max().copied().unwrap_or(0));
        println!("memory: {middle} KiB in the middle, {last} KiB at the end");
        assert!(last < middle + 1024, "memory grows: {middle} KiB, then {last} KiB");
    }
}
