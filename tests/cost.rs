//! The memory cost of an annotation: none on the happy path, and little in the future.
#![allow(clippy::print_stdout, reason = "the sizes are worth reading")]

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use allocation_counter::measure;
use axum::body::Body;
use axum::http::{Request, Response};
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use resilience::{
    CircuitBreaker, Keyed, RateLimiter, Rejected, bulkhead, circuit_breaker, coalesce, fallback,
    hedge, idempotent, rate_limit, retry, testing, timeout,
};
use tower::{Layer as _, Service as _};

/// The bytes that the start of a measured call adds to a future.
const DURATION: usize = if cfg!(feature = "duration-histograms") { 32 } else { 0 };

#[retry(attempts = 4, deadline = "30s")]
fn sync(fail: &mut u32) -> Result<u32, u32> {
    if *fail > 0 {
        *fail -= 1;
        return Err(*fail);
    }
    Ok(7)
}

#[retry(attempts = 4)]
async fn asynchronous(fail: &mut u32) -> Result<u32, u32> {
    std::future::ready(()).await;
    if *fail > 0 {
        *fail -= 1;
        return Err(*fail);
    }
    Ok(7)
}

#[test]
fn the_happy_path_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let counted = measure(|| assert_eq!(sync(&mut 0), Ok(7)));
    assert_eq!(counted.count_total, 0);
    runtime.block_on(async {
        let mut failures = 0;
        let mut future = std::pin::pin!(asynchronous(&mut failures));
        let counted = measure(|| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_ready());
        });
        assert_eq!(counted.count_total, 0);
    });
}

#[test]
fn a_retry_allocates_nothing() {
    let _guard = testing::no_waits();
    assert_eq!(sync(&mut 3), Ok(7), "warm");
    let counted = measure(|| assert_eq!(sync(&mut 3), Ok(7)));
    assert_eq!(counted.count_total, 0);
}

#[test]
fn memory_is_constant_over_a_million_calls() {
    let _guard = testing::no_waits();
    assert_eq!(sync(&mut 3), Ok(7), "warm");
    let counted = measure(|| {
        for call in 0..1_000_000_u32 {
            assert!(sync(&mut (call % 5)).is_ok() || call % 5 == 4);
        }
    });
    assert_eq!(counted.bytes_current, 0);
    assert_eq!(counted.bytes_max, 0);
}

/// The loop that users write by hand.
macro_rules! by_hand {
    ($body:expr) => {{
        let mut attempt = 0;
        loop {
            let result: Result<u32, u32> = async { $body }.await;
            attempt += 1;
            match result {
                Ok(value) => return Ok(value),
                Err(error) if attempt >= 4 => return Err(error),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
        }
    }};
}

async fn work(buffer: &mut [u8]) {
    tokio::task::yield_now().await;
    buffer[0] += 1;
}

#[test]
fn the_future_is_at_most_32_bytes_larger_than_the_hand_written_loop() {
    async fn small_by_hand() -> Result<u32, u32> {
        by_hand!({
            tokio::task::yield_now().await;
            Err(1)
        })
    }
    #[retry(attempts = 4)]
    async fn small() -> Result<u32, u32> {
        tokio::task::yield_now().await;
        Err(1)
    }
    async fn large_by_hand(id: u32) -> Result<u32, u32> {
        by_hand!({
            let mut buffer = [0; 256];
            work(&mut buffer).await;
            Err(id + u32::from(buffer[0]))
        })
    }
    #[retry(attempts = 4)]
    async fn large(id: u32) -> Result<u32, u32> {
        let mut buffer = [0; 256];
        work(&mut buffer).await;
        Err(id + u32::from(buffer[0]))
    }
    #[retry(attempts = 4, deadline = "30s", jitter = "decorrelated", on = |_| true)]
    async fn every_key(id: u32) -> Result<u32, u32> {
        let mut buffer = [0; 256];
        work(&mut buffer).await;
        Err(id + u32::from(buffer[0]))
    }
    let small = (size_of_val(&small()), size_of_val(&small_by_hand()));
    let large_sizes = (size_of_val(&large(1)), size_of_val(&large_by_hand(1)));
    let every = (size_of_val(&every_key(1)), large_sizes.1);
    for (name, (ours, by_hand)) in
        [("small", small), ("256 bytes", large_sizes), ("every key", every)]
    {
        println!("{name}: {ours} bytes, by hand {by_hand}");
        assert!(ours <= by_hand + 32 + DURATION, "{name}: {ours} bytes, by hand {by_hand}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    Down,
    Rejected,
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

type Reply = Result<u32, Failure>;

/// A name, the call of a body, the outcome of the first call, and the outcome of later calls.
type Case = (&'static str, fn(Reply) -> Reply, Reply, Reply);

#[test]
fn admitting_and_rejecting_calls_allocates_nothing() {
    #[circuit_breaker(shared = "closed")]
    fn closed(result: Reply) -> Reply {
        result
    }
    #[circuit_breaker(failure_rate = 0.5)]
    fn over_time(result: Reply) -> Reply {
        result
    }
    #[circuit_breaker(failure_rate = 0.5, window = 100)]
    fn over_calls(result: Reply) -> Reply {
        result
    }
    #[circuit_breaker(failure_threshold = 1, shared = "open")]
    fn open(result: Reply) -> Reply {
        result
    }
    #[bulkhead(max = 10)]
    fn queued(result: Reply) -> Reply {
        result
    }
    #[bulkhead(max = 1)]
    fn full(nested: bool) -> Reply {
        if nested { full(false) } else { Ok(7) }
    }
    #[rate_limit(rate = 1_000_000, burst = 1000)]
    fn flowing(result: Reply) -> Reply {
        result
    }
    #[rate_limit(rate = 1, per = "1h")]
    fn dry(result: Reply) -> Reply {
        result
    }
    let ok = Ok(7);
    let rejected = Err(Failure::Rejected);
    let cases: [Case; 8] = [
        ("a closed breaker", closed, ok, ok),
        ("a closed breaker over time", over_time, ok, ok),
        ("a closed breaker over calls", over_calls, ok, ok),
        ("an open breaker", open, Err(Failure::Down), rejected),
        ("a bulkhead with a queue", queued, ok, ok),
        ("a full bulkhead", |first| full(first.is_ok()), ok, rejected),
        ("a rate limit", flowing, ok, ok),
        ("a used-up rate limit", dry, ok, rejected),
    ];
    for (name, call, first, then) in cases {
        // The state that the first call creates, and the record of the first rejection, are not
        // counted.
        let _ = (call(first), call(first));
        let counted = measure(|| {
            for _ in 0..200 {
                assert_eq!(call(first), then, "{name}");
            }
        });
        assert_eq!(counted.count_total, 0, "{name}");
    }
}

/// A count of failures in a row; opens for good.
macro_rules! counted {
    ($body:expr) => {{
        static FAILURES: AtomicU32 = AtomicU32::new(0);
        if FAILURES.load(Relaxed) >= 5 {
            return Err(Failure::Rejected);
        }
        let result: Reply = $body;
        match result {
            Ok(_) => FAILURES.store(0, Relaxed),
            Err(_) => drop(FAILURES.fetch_add(1, Relaxed)),
        }
        result
    }};
}

macro_rules! repeated {
    ($body:expr) => {{
        let mut attempt = 0;
        loop {
            let result: Reply = $body;
            attempt += 1;
            if result.is_ok() || attempt >= 4 {
                return result;
            }
            tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
        }
    }};
}

macro_rules! timed {
    ($body:expr) => {
        match tokio::time::timeout(Duration::from_secs(5), async { $body }).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Rejected),
        }
    };
}

#[test]
fn the_future_of_several_attributes_is_at_most_twice_the_hand_written_future() {
    async fn yields() -> Reply {
        tokio::task::yield_now().await;
        Err(Failure::Down)
    }
    async fn three_by_hand() -> Reply {
        repeated!(counted!(timed!(yields().await)))
    }
    #[retry(attempts = 4)]
    #[circuit_breaker]
    #[timeout("5s")]
    async fn three() -> Reply {
        yields().await
    }
    #[fallback(value = 7)]
    #[retry(attempts = 4)]
    #[circuit_breaker]
    #[bulkhead(max = 10)]
    #[timeout("5s")]
    async fn five() -> Reply {
        yields().await
    }
    let by_hand = size_of_val(&three_by_hand());
    // The report of nested retries needs the name and the number of the attempt.
    let reports = cfg!(any(feature = "figures", feature = "log", feature = "tracing"));
    let report = if reports { 24 } else { 0 };
    for (name, ours) in [("three", size_of_val(&three())), ("five", size_of_val(&five()))] {
        println!("{name}: {ours} bytes, three by hand {by_hand}");
        assert!(
            ours <= 2 * by_hand + report + DURATION,
            "{name}: {ours} bytes, three by hand {by_hand}"
        );
    }
}

#[test]
fn coalesce_and_the_last_good_value_add_little_to_the_future() {
    async fn plain(id: u32) -> Reply {
        tokio::task::yield_now().await;
        Ok(id)
    }
    #[coalesce(key = id)]
    async fn coalesced(id: u32) -> Reply {
        tokio::task::yield_now().await;
        Ok(id)
    }
    #[fallback(stale = "10m", key = id)]
    async fn stale(id: u32) -> Reply {
        tokio::task::yield_now().await;
        Ok(id)
    }
    let plain = size_of_val(&plain(7));
    for (name, ours, limit) in
        [("coalesce", size_of_val(&coalesced(7)), 104), ("stale", size_of_val(&stale(7)), 104)]
    {
        println!("{name}: {ours} bytes, plain {plain}");
        assert!(ours <= plain + limit + DURATION, "{name}: {ours} bytes, plain {plain}");
    }
}

#[test]
fn a_coalesced_call_and_a_last_good_value_allocate_one_block_each() {
    #[coalesce(key = id)]
    fn coalesced(id: u32) -> Reply {
        Ok(id)
    }
    #[fallback(stale = "10m", key = id)]
    fn stale(id: u32) -> Reply {
        Ok(id)
    }
    for (name, call) in [("coalesce", coalesced as fn(u32) -> Reply), ("stale", stale)] {
        // The first call creates the nodes of the maps.
        let _ = (call(7), call(7));
        let counted = measure(|| {
            for _ in 0..100 {
                assert_eq!(call(7), Ok(7));
            }
        });
        println!("{name}: {} allocations in 100 calls", counted.count_total);
        assert!(counted.count_total <= 200, "{name}: {counted:?}");
        assert!(counted.bytes_current <= 0, "{name}: {counted:?}");
    }
}

#[test]
fn a_hedge_allocates_nothing_and_has_room_for_two_attempts() {
    #[hedge(after = "p95", idempotent)]
    async fn hedged() -> Option<u32> {
        tokio::task::yield_now().await;
        let buffer = [7; 256];
        tokio::task::yield_now().await;
        buffer.last().copied()
    }
    async fn plain() -> Option<u32> {
        tokio::task::yield_now().await;
        let buffer = [7; 256];
        tokio::task::yield_now().await;
        buffer.last().copied()
    }
    let (ours, one) = (size_of_val(&hedged()), size_of_val(&plain()));
    println!("hedge: {ours} bytes, one attempt {one}");
    assert!(ours < 2 * one + 512, "{ours} bytes, one attempt {one}");
}

type Memory = Arc<MemoryStore>;

#[idempotent(store = store, key = key, scope = "global", name = "cost.pay")]
async fn pay(store: &Memory, key: u64) -> Reply {
    Ok(u32::try_from(key).unwrap_or_default())
}

fn paid(store: &Memory, key: u64) -> Reply {
    futures::FutureExt::now_or_never(pay(store, key)).expect("the memory store answers at once")
}

#[test]
fn the_future_of_an_idempotent_call_has_at_most_1500_bytes() {
    let size = size_of_val(&pay(&Memory::default(), 1));
    println!("idempotent: {size} bytes");
    assert!(size <= 1500, "{size} bytes");
}

#[test]
fn an_idempotent_call_allocates_its_claim_its_context_its_outcome_and_its_record() {
    let store = Memory::default();
    // The tables grow now.
    for key in 0..10_000 {
        assert!(paid(&store, key).is_ok());
    }
    let mut counts: Vec<u64> = (10_000..10_100)
        .map(|key| measure(|| assert!(paid(&store, key).is_ok())).count_total)
        .collect();
    // A growing table allocates now and then.
    counts.sort_unstable();
    println!("allocations of a new key: {}", counts[50]);
    // One of them is a label of the counters, with the feature `metrics`.
    assert!(counts[50] <= 6, "{counts:?}");
    let replay = measure(|| assert_eq!(paid(&store, 7), Ok(7)));
    println!("allocations of a replay: {}", replay.count_total);
    assert!(replay.count_total <= 1, "{replay:?}");
}

#[test]
fn the_future_of_an_idempotent_endpoint_has_at_most_6000_bytes() {
    let layer = IdempotencyLayer::global("cost", Arc::new(MemoryStore::new()));
    let mut service = layer.layer(tower::service_fn(async |_: Request<_>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    }));
    let request = Request::post("/orders").header("idempotency-key", "a").body(Body::empty());
    let request = request.expect("a valid request");
    let mut future = None;
    let counted = measure(|| future = Some(service.call(request)));
    println!("endpoint: {} bytes for a request", counted.bytes_total);
    assert!(counted.bytes_total <= 6000, "{}", counted.bytes_total);
}

#[test]
fn a_record_of_the_memory_store_takes_at_most_350_bytes() {
    let store = Arc::new(MemoryStore::new().max_records(1_000_000));
    let mut most = 0;
    let mut bytes = 0;
    for thousand in 0..200 {
        let counted = measure(|| {
            for key in thousand * 1000..(thousand + 1) * 1000 {
                assert!(paid(&store, key).is_ok());
            }
        });
        bytes += counted.bytes_current;
        let records = i64::try_from(store.len()).unwrap_or_default();
        // Smaller tables grow at different times.
        if records >= 20_000 {
            most = most.max(bytes / records);
        }
    }
    println!("bytes of a record: at most {most}, {} at the end", bytes / 200_000);
    assert!(most <= 350, "{most} bytes");
}

#[rate_limit(rate = 1, per = "1h", key = user, max_keys = 100_000)]
fn limited(user: u64) -> Result<(), Rejected> {
    Ok(())
}

static LIMITS: Keyed<RateLimiter> =
    Keyed::new(100_000, || RateLimiter::new(1, Duration::from_secs(3600)));

/// Returns the bytes that each of some new keys allocates, rounded up.
fn bytes_per_key(keys: Range<u64>, mut call: impl FnMut(u64)) -> i64 {
    let count = i64::try_from(keys.end - keys.start).expect("few keys");
    let allocated = measure(|| keys.for_each(&mut call)).bytes_current;
    let bytes = (allocated + count - 1) / count;
    println!("{bytes} bytes for each of {count} keys");
    bytes
}

#[test]
fn a_key_of_a_rate_limit_takes_at_most_100_bytes_in_a_small_and_in_a_large_table() {
    // The first keys pay for the empty table, and the first rejection for the figures.
    let _warm = bytes_per_key(0..10_000, |key| assert!(limited(key).is_ok()));
    assert!(limited(0).is_err());
    for keys in [10_000..20_000, 20_000..100_000] {
        let bytes = bytes_per_key(keys.clone(), |key| assert!(limited(key).is_ok()));
        assert!(bytes <= 100, "{bytes}");
        // A rejection allocates only what the caller gets.
        let more = bytes_per_key(keys, |key| assert!(limited(key).is_err()));
        assert!(more == 0, "{more}");
    }
    let by_hand = bytes_per_key(0..100_000, |key| assert!(LIMITS.get(&key).try_acquire().is_ok()));
    assert!(by_hand <= 100, "{by_hand}");
}

#[circuit_breaker(key = host, max_keys = 100_000)]
fn guarded(host: u64, result: Reply) -> Reply {
    result
}

#[circuit_breaker(key = host, max_keys = 100_000, failure_rate = 0.5, window = 100)]
fn guarded_by_rate(host: u64, result: Reply) -> Reply {
    result
}

#[circuit_breaker(key = host, key_label = "host", max_keys = 10, failure_threshold = 1)]
fn opened(host: u64, result: Reply) -> Reply {
    result
}

static BREAKERS: Keyed<CircuitBreaker> =
    Keyed::new(100_000, || CircuitBreaker::new().failure_threshold(3).name("cost.breakers"));

#[test]
fn a_key_of_a_breaker_takes_at_most_200_bytes_also_with_a_failure() {
    // The first keys pay for the empty table, and the first failure for the figures.
    let _warm = bytes_per_key(0..10_000, |key| assert!(guarded(key, Ok(7)).is_ok()));
    assert!(guarded(0, Err(Failure::Down)).is_err());
    for keys in [10_000..20_000, 20_000..100_000] {
        let bytes = bytes_per_key(keys.clone(), |key| assert!(guarded(key, Ok(7)).is_ok()));
        assert!(bytes <= 200, "{bytes}");
        let more = bytes_per_key(keys, |key| assert!(guarded(key, Err(Failure::Down)).is_err()));
        assert!(more == 0, "{more}");
    }
    let by_hand = bytes_per_key(0..100_000, |key| {
        assert!(BREAKERS.get(&key).run(|| Err::<u32, _>(Failure::Down)).is_err());
    });
    assert!(by_hand <= 200, "{by_hand}");
}

#[test]
fn the_window_and_the_opening_of_a_breaker_with_a_key_take_memory_of_their_own() {
    let _warm = bytes_per_key(0..10_000, |key| assert!(guarded_by_rate(key, Ok(7)).is_ok()));
    let bytes = bytes_per_key(10_000..20_000, |key| assert!(guarded_by_rate(key, Ok(7)).is_ok()));
    assert!(bytes <= 320, "{bytes}");
    // The memory of the events of an opening is free again.
    for key in 0..5 {
        assert!(opened(key, Err(Failure::Down)).is_err());
    }
    let opening = measure(|| assert!(opened(5, Err(Failure::Down)).is_err())).bytes_current;
    println!("{opening} bytes for an open key with a label");
    assert!(opening <= 700, "{opening}");
}

#[test]
fn a_known_key_allocates_nothing() {
    assert!(limited(u64::MAX).is_ok() && limited(u64::MAX).is_err(), "warm");
    let counted = measure(|| assert!(limited(u64::MAX).is_err()));
    assert_eq!(counted.count_total, 0);
}
