//! Idempotent calls in memory on a single core: annotated functions by processor time, and the
//! steps of the memory store.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    reason = "the macro of criterion writes functions without documentation; printed measures"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, Throughput, criterion_group};
use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, MemoryStore, RecordKey, Store, Takeover, Token, WriteOutcome,
};
use resilience::{Rejected, idempotent};

const DAY: Duration = Duration::from_secs(86_400);

/// Returns the output of a future that is ready at the first poll.
fn ready<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("a store that answers at once")
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

fn claim(store: &MemoryStore, key: &RecordKey, time: Duration) -> Claim {
    let fingerprint = Fingerprint([7; 32]);
    let request = ClaimRequest {
        key,
        fingerprint: &fingerprint,
        owner: 1,
        lease: time,
        retention: time,
        takeover: Takeover::Rerun,
        label: "bench",
        scope: None,
    };
    ready(store.claim(request)).expect("room")
}

fn acquired(store: &MemoryStore, key: &RecordKey) -> Token {
    match claim(store, key, DAY) {
        Claim::Acquired { token, .. } => token,
        other => unreachable!("{other:?}"),
    }
}

fn complete(store: &MemoryStore, key: &RecordKey, token: Token) {
    let written = ready(store.complete(key, token, &[7; 64], DAY));
    assert_eq!(written.expect("an answer"), WriteOutcome::Applied);
}

/// Claims of new keys, in a store that is replaced after each batch.
fn claims(bencher: &mut Bencher<'_>) {
    const BATCH: u64 = 50_000;
    bencher.iter_custom(|times| {
        let mut spent = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let store = MemoryStore::new();
            let keys: Vec<_> = (0..batch).map(key).collect();
            let begin = Instant::now();
            for key in &keys {
                black_box(acquired(&store, key));
            }
            spent += begin.elapsed();
        }
        spent
    });
}

/// A claim, a completion with 64 bytes, and a replay.
fn calls(bencher: &mut Bencher<'_>) {
    const BATCH: u64 = 50_000;
    bencher.iter_custom(|times| {
        let mut spent = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let store = MemoryStore::new();
            let keys: Vec<_> = (0..batch).map(key).collect();
            let begin = Instant::now();
            for key in &keys {
                let token = acquired(&store, key);
                complete(&store, key, token);
                black_box(claim(&store, key, DAY));
            }
            spent += begin.elapsed();
        }
        spent
    });
}

fn replays(bencher: &mut Bencher<'_>) {
    let store = MemoryStore::new();
    let key = key(1);
    let token = acquired(&store, &key);
    complete(&store, &key, token);
    bencher.iter(|| black_box(claim(&store, &key, DAY)));
}

/// Records that expire after 5 ms. Each claim removes an expired record, so the size of the store
/// stays constant.
fn turnover(bencher: &mut Bencher<'_>) {
    const RECORDS: usize = 20_000;
    const LIVES: Duration = Duration::from_millis(5);
    const BATCH: u64 = 50_000;
    let store = MemoryStore::new().max_records(RECORDS);
    let mut next = 0;
    bencher.iter_custom(|times| {
        let mut spent = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let keys: Vec<_> = (next..next + batch).map(key).collect();
            next += batch;
            let begin = Instant::now();
            for key in &keys {
                black_box(claim(&store, key, LIVES));
            }
            spent += begin.elapsed();
            assert!(store.len() <= RECORDS, "{} records", store.len());
        }
        spent
    });
}

type Memory = Arc<MemoryStore>;

#[idempotent(store = store, key = key, scope = "global", name = "bench.pay")]
async fn pay(store: &Memory, key: u64) -> Result<u64, Rejected> {
    Ok(key)
}

#[idempotent(store = store, key = key, scope = tenant, name = "bench.pay_scoped")]
async fn pay_scoped(store: &Memory, tenant: &str, key: &str, cents: u64) -> Result<u64, Rejected> {
    Ok(cents)
}

#[idempotent(store = store, key = key, scope = "global", name = "bench.pay_sync")]
fn pay_sync(store: &Memory, key: u64) -> Result<u64, Rejected> {
    Ok(key)
}

/// The processor time of this thread. Elsewhere than on Linux, the time of the clock.
fn processor_time(start: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Prints the nanoseconds of processor time of a call with a known key and with a new key: the
/// fastest of some rounds.
fn row(what: &str, call: impl Fn(&Memory, u64)) {
    const ROUNDS: u64 = 30;
    const CALLS: u64 = 10_000;
    let start = Instant::now();
    let round = |run: &dyn Fn()| {
        let before = processor_time(start);
        run();
        processor_time(start).saturating_sub(before).as_nanos() / u128::from(CALLS)
    };
    let known = Memory::default();
    let fresh: Vec<_> = (0..ROUNDS).map(|_| Memory::default()).collect();
    let replay = fresh.iter().map(|_| round(&|| (0..CALLS).for_each(|_| call(&known, 7))));
    let replay = replay.min().unwrap_or_default();
    let new = fresh.iter().map(|store| round(&|| (0..CALLS).for_each(|key| call(store, key))));
    println!("{what}: replay {replay} ns, new key {} ns", new.min().unwrap_or_default());
}

fn annotated() {
    row("async, global scope", |store, key| assert_eq!(ready(pay(store, black_box(key))), Ok(key)));
    row("async, scope and text key", |store, key| {
        let mut text = *b"order-0000000";
        text[6..].iter_mut().rev().fold(key, |rest, digit| {
            *digit = b'0' + (rest % 10) as u8;
            rest / 10
        });
        let text = std::str::from_utf8(&text).expect("digits");
        assert_eq!(ready(pay_scoped(store, "acme", text, 5)), Ok(5));
    });
    row("sync, global scope", |store, key| assert_eq!(pay_sync(store, black_box(key)), Ok(key)));
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory store");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Elements(1));
    group.bench_function("claim", claims);
    group.bench_function("claim, complete, replay", calls);
    group.bench_function("replay", replays);
    group.bench_function("claim, as others expire", turnover);
    group.finish();
}

criterion_group!(all, benches);

fn main() {
    annotated();
    all();
    Criterion::default().configure_from_args().final_summary();
}
