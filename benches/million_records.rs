//! The memory store of idempotent calls with a million records: the latency of single calls, the
//! memory of a record, and the time of maintenance.
#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints its measures")]

use std::fs;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, MemoryStore, RecordKey, ScopeKey, Store, Takeover,
};

const RECORDS: u64 = 1_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Returns how often the thread has lost the processor. Zero elsewhere than on Linux.
fn switches() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// Polls a future to its end. Returns the output and the longest time of a poll during which the
/// thread kept the processor.
fn run<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let mut future = pin!(future);
    let mut longest = Duration::ZERO;
    loop {
        let (before, begin) = (switches(), Instant::now());
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let time = begin.elapsed();
        if before == switches() {
            longest = longest.max(time);
        }
        if let Poll::Ready(out) = polled {
            return (out, longest);
        }
    }
}

/// Returns the output of a future that is ready at the first poll.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(out) => out,
        Poll::Pending => unreachable!("a step of the memory store"),
    }
}

/// Returns a key with well-distributed bits, like a hash.
fn key(number: u64) -> RecordKey {
    let mut bytes = [0; 32];
    for (at, chunk) in bytes.chunks_mut(8).enumerate() {
        let mixed = (number + at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        chunk.copy_from_slice(&(mixed ^ mixed >> 29).to_le_bytes());
    }
    RecordKey(bytes)
}

fn claim(store: &MemoryStore, number: u64, time: Duration) -> Claim {
    let request = ClaimRequest {
        key: &key(number),
        fingerprint: &Fingerprint([7; 32]),
        owner: 1,
        lease: time / 2,
        retention: time,
        takeover: Takeover::Rerun,
        label: "bench",
        scope: Some(ScopeKey([7; 32])),
    };
    ready(store.claim(request)).expect("room")
}

/// Claims and completes, with the 30 bytes of a short outcome.
fn call(store: &MemoryStore, number: u64, time: Duration) {
    if let Claim::Acquired { token, .. } = claim(store, number, time) {
        let _ = ready(store.complete(&key(number), token, &[7; 30], time)).expect("room");
    }
}

/// Calls `step` for each number, and prints the distribution of the times.
///
/// A step over 100 µs does not count if the thread lost the processor meanwhile: on a shared
/// machine, the time would be the time of another process.
fn latencies(what: &str, numbers: impl Iterator<Item = u64>, mut step: impl FnMut(u64)) {
    let mut before = switches();
    let mut lost = 0_u32;
    let mut times = Vec::new();
    for number in numbers {
        let begin = Instant::now();
        step(number);
        let time = begin.elapsed();
        if time > Duration::from_micros(100) {
            let after = switches();
            if std::mem::replace(&mut before, after) != after {
                lost += 1;
                continue;
            }
        }
        times.push(time);
    }
    times.sort_unstable();
    let at = |of: usize| times[(times.len() - 1) * of / 10_000];
    println!(
        "{what}: median {:?}, p99 {:?}, p99.99 {:?}, max {:?} ({lost} steps lost the processor)",
        at(5000),
        at(9900),
        at(9999),
        at(10_000)
    );
}

fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

fn main() {
    let max = 4 * RECORDS as usize;
    let store = MemoryStore::new().max_records(max);
    let before = resident();
    latencies("a new key, claim and completion", 0..RECORDS, |number| call(&store, number, DAY));
    println!("bytes of a record: {}", (resident() - before) / RECORDS);
    latencies("a replay", 0..RECORDS, |number| drop(claim(&store, number, DAY)));
    let (found, longest) = run(store.interrupted(10));
    println!(
        "a search for interrupted calls: longest poll {longest:?}, {} found",
        found.map_or(0, |f| f.len())
    );
    drop(store);

    let store = MemoryStore::new().max_records(max);
    for number in 0..RECORDS {
        call(&store, number, Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(5));
    latencies("a new key among outdated records", RECORDS..RECORDS + 100_000, |number| {
        call(&store, number, DAY);
    });

    // The expiry times of the claims are over, and the records live on.
    let store = MemoryStore::new().max_records(max);
    for number in 0..RECORDS {
        if let Claim::Acquired { token, .. } = claim(&store, number, Duration::from_millis(1)) {
            let _ = ready(store.complete(&key(number), token, &[7; 30], DAY)).expect("room");
        }
    }
    std::thread::sleep(Duration::from_millis(5));
    latencies("a new key among completed records", RECORDS..RECORDS + 100_000, |number| {
        call(&store, number, DAY);
    });

    let store = MemoryStore::new().max_records(max);
    for number in 0..RECORDS {
        call(&store, number, Duration::from_secs(3));
    }
    std::thread::sleep(Duration::from_millis(3100));
    let begin = Instant::now();
    let (purged, longest) = run(store.purge(usize::MAX));
    println!("a purge of {purged:?} records: {:?}, longest poll {longest:?}", begin.elapsed());
}
