//! The memory store of idempotent calls on a single core: claims, whole calls, and a store with as
//! many expiring as new records.
#![allow(missing_docs, reason = "the macro of criterion writes functions without")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
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

/// Calls of annotated functions with new keys, in a store that is replaced after each batch.
fn new_keys(bencher: &mut Bencher<'_>, call: impl Fn(&Memory, u64)) {
    const BATCH: u64 = 50_000;
    bencher.iter_custom(|times| {
        let mut spent = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let batch = left.min(BATCH);
            left -= batch;
            let store = Memory::default();
            let begin = Instant::now();
            for key in 0..batch {
                call(&store, key);
            }
            spent += begin.elapsed();
        }
        spent
    });
}

/// Calls of annotated functions with a key whose outcome is stored.
fn known_key(bencher: &mut Bencher<'_>, call: impl Fn(&Memory, u64)) {
    let store = Memory::default();
    bencher.iter(|| call(&store, black_box(7)));
}

fn annotated(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("#[idempotent]");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let plain = |store: &Memory, key| assert_eq!(ready(pay(store, key)), Ok(key));
    let scoped = |store: &Memory, key| {
        let text = if key == 7 { "order-0000007".to_owned() } else { format!("order-{key:07}") };
        assert_eq!(ready(pay_scoped(store, "acme", &text, 5)), Ok(5));
    };
    let sync = |store: &Memory, key| assert_eq!(pay_sync(store, key), Ok(key));
    group.bench_function("replay", |bencher| known_key(bencher, plain));
    group.bench_function("new key", |bencher| new_keys(bencher, plain));
    group.bench_function("replay, scoped", |bencher| known_key(bencher, scoped));
    group.bench_function("new key, scoped", |bencher| new_keys(bencher, scoped));
    group.bench_function("replay, sync", |bencher| known_key(bencher, sync));
    group.bench_function("new key, sync", |bencher| new_keys(bencher, sync));
    group.finish();
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

criterion_group!(all, annotated, benches);
criterion_main!(all);
