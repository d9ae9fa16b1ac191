//! The memory store of idempotent calls with a million records: the latency of single calls, the
//! memory of a record, and the time of maintenance.
#![allow(
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "a program that prints its measures"
)]

use std::fs;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, MemoryStore, RecordKey, ScopeKey, Store, Takeover,
};
use resilience::testing;

const RECORDS: u64 = 1_000_000;
const DAY: Duration = Duration::from_secs(86_400);

/// Polls a future to its end. Returns the output and the time of each poll.
fn run<T>(future: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let mut future = pin!(future);
    let mut times = Vec::new();
    loop {
        let begin = Instant::now();
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        times.push(begin.elapsed());
        if let Poll::Ready(out) = polled {
            return (out, times);
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

/// Runs the same steps three times, and prints the distribution of the times.
///
/// The time of a step is the shortest of three: a step that is long by itself is long each time,
/// and a step during which the thread lost the processor is not.
fn print(what: &str, mut steps: impl FnMut() -> Vec<Duration>) {
    let runs = [(); 3].map(|()| steps());
    let mut times: Vec<Duration> = (0..runs[0].len())
        .filter_map(|at| runs.iter().filter_map(|run| run.get(at)).min())
        .copied()
        .collect();
    times.sort_unstable();
    let at = |of: usize| times[(times.len() - 1) * of / 10_000];
    println!(
        "{what}: median {:?}, p99 {:?}, p99.99 {:?}, max {:?}",
        at(5000),
        at(9900),
        at(9999),
        at(10_000)
    );
}

fn timed(numbers: Range<u64>, mut step: impl FnMut(u64)) -> Vec<Duration> {
    let time = |number| {
        let begin = Instant::now();
        step(number);
        begin.elapsed()
    };
    numbers.map(time).collect()
}

fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}

/// Returns a store with a million completed records.
fn filled(claimed: Duration, completed: Duration) -> MemoryStore {
    let store = MemoryStore::new().max_records(4 * RECORDS as usize);
    for number in 0..RECORDS {
        if let Claim::Acquired { token, .. } = claim(&store, number, claimed) {
            let key = key(number);
            let _ = ready(store.complete(&key, token, &[7; 30], completed)).expect("room");
        }
    }
    store
}

const NEXT: Range<u64> = RECORDS..RECORDS + 100_000;
const HOUR: Duration = Duration::from_secs(3600);

fn main() {
    let before = resident();
    let store = filled(DAY, DAY);
    println!("bytes of a record: {}", (resident() - before) / RECORDS);
    print("a replay", || timed(0..RECORDS, |number| drop(claim(&store, number, DAY))));
    print("a list of interrupted calls, each poll", || run(store.interrupted(10)).1);
    drop(store);
    print("a new key, claim and completion", || {
        let store = MemoryStore::new().max_records(2 * RECORDS as usize);
        timed(0..RECORDS, |number| call(&store, number, DAY))
    });
    print("a new key among outdated records", || {
        let clock = testing::clock();
        let store = filled(HOUR, HOUR);
        clock.advance(2 * HOUR);
        timed(NEXT, |number| call(&store, number, DAY))
    });
    // The expiry times of the claims are over, and the records live on.
    print("a new key among prolonged records", || {
        let clock = testing::clock();
        let store = filled(HOUR, DAY);
        clock.advance(2 * HOUR);
        timed(NEXT, |number| call(&store, number, DAY))
    });
    print("a purge of all records, each poll", || {
        let clock = testing::clock();
        let store = filled(HOUR, HOUR);
        clock.advance(2 * HOUR);
        let (purged, times) = run(store.purge(usize::MAX));
        assert_eq!(purged.expect("no failure"), RECORDS as usize);
        times
    });
}
