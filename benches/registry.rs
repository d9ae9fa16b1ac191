//! The cost of figures and of the registry.
//!
//! `cargo bench --bench registry` prints:
//!
//! - the bytes of a policy without an event, and the bytes that the first event allocates,
//! - the time of `policies()`, `health()`, a search by pattern and the exporters for 1000 policies,
//! - nanoseconds of a call of one breaker, in one thread and in two threads, without a reader and
//!   with a reader.
//!
//! `scripts/instructions registry` counts the instructions of an operation: the program with the name
//! of an operation and a number of repetitions, for a process with 1000 policies.
#![allow(clippy::print_stdout, reason = "the program prints a table")]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use resilience::{
    Bulkhead, CircuitBreaker, RateLimiter, RetryPolicy, circuit_breaker, count_successes, health,
    policies, policies_matching, register, testing,
};

const POLICIES: u32 = 1000;
const CALLS: u32 = 2_000_000;

#[circuit_breaker]
fn call(works: bool) -> Option<u32> {
    black_box(works).then_some(1)
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [operation, repetitions] = arguments.as_slice() {
        return repeat(operation, repetitions.parse().expect("a number"));
    }
    // `cargo test` runs the program without arguments for benches, and needs no figures.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    memory();
    println!("ns for each call            one thread  two threads");
    let print = |name: &str| println!("{name:28}{:10.1}{:13.1}", threads(1), threads(2));
    call(true);
    print("closed, without a reader");
    count_successes();
    print("closed, with a reader");
    listing();
}

/// Returns the nanoseconds of a call: the fastest of several runs.
fn threads(count: usize) -> f64 {
    let run = || {
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..count {
                scope.spawn(|| (0..CALLS).for_each(|_| assert!(call(true).is_some())));
            }
        });
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..15).map(|_| run()).fold(f64::MAX, f64::min)
}

fn memory() {
    let hour = Duration::from_secs(3600);
    let _waits = testing::no_waits();
    // The list of policies and the thread's own memory are not counted.
    drop(CircuitBreaker::new().try_acquire());
    let breaker = measure(|| {
        let breaker = CircuitBreaker::new().name("memory_breaker");
        breaker.try_acquire().map(CircuitGuardExt::fail).unwrap_or_default();
        core::mem::forget(breaker);
    });
    let bulkhead = Bulkhead::new(1);
    let bulkhead_bytes = measure(|| {
        let permit = bulkhead.try_acquire();
        drop(black_box(bulkhead.try_acquire()));
        drop(permit);
    });
    let limiter = RateLimiter::new(1, hour);
    let limiter_bytes = measure(|| {
        drop(black_box((limiter.try_acquire(), limiter.try_acquire())));
    });
    let policy = RetryPolicy::new().attempts(2);
    let retry = measure(|| assert!(policy.run(|| Err::<(), _>("down")).is_err()));
    println!("bytes of a policy           without an event  first event allocates");
    for (name, size, bytes) in [
        ("CircuitBreaker", size_of::<CircuitBreaker>(), breaker.bytes_current),
        ("Bulkhead", size_of::<Bulkhead>(), bulkhead_bytes.bytes_current),
        ("RateLimiter", size_of::<RateLimiter>(), limiter_bytes.bytes_current),
        ("RetryPolicy", size_of::<RetryPolicy>(), retry.bytes_current),
    ] {
        println!("{name:28}{size:16}{bytes:23}");
    }
}

/// Fails a call.
trait CircuitGuardExt {
    fn fail(self);
}

impl CircuitGuardExt for resilience::CircuitGuard<'_> {
    fn fail(self) {
        self.failure();
    }
}

/// An operation over all policies, by name. The result is never 0.
type Operation = (&'static str, fn() -> usize);

const OPERATIONS: &[Operation] = &[
    ("policies", || policies().len()),
    ("policies_matching", || policies_matching("shop::clients::call_500").len()),
    ("health", || health().degraded.len()),
    #[cfg(feature = "prometheus")]
    ("prometheus_text", || resilience::export::prometheus_text().len()),
    #[cfg(feature = "metrics")]
    ("record_metrics", || {
        resilience::export::record_metrics();
        1
    }),
];

/// Makes 1000 policies with an event.
fn make_policies() -> Vec<Arc<CircuitBreaker>> {
    let make = |number| {
        let breaker =
            Arc::new(CircuitBreaker::new().named(format!("shop::clients::call_{number}")));
        register(&breaker);
        breaker.trip();
        breaker
    };
    (0..POLICIES).map(make).collect()
}

fn repeat(operation: &str, repetitions: u32) {
    let _policies = make_policies();
    let known = OPERATIONS.iter().find(|(name, _)| *name == operation);
    let (_, run) = known.expect("the name of an operation");
    for _ in 0..repetitions {
        assert!(black_box(run()) > 0);
    }
}

fn listing() {
    let _policies = make_policies();
    for (name, run) in OPERATIONS {
        let time = || {
            let start = Instant::now();
            assert!(run() > 0);
            start.elapsed()
        };
        let fastest = (0..20).map(|_| time()).min().unwrap_or_default();
        println!("{name:40}{:8.2} ms", fastest.as_secs_f64() * 1e3);
    }
}
