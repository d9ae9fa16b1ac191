//! The cost of figures and of the registry.
//!
//! `cargo bench --bench registry` prints:
//!
//! - the bytes of a policy without an event, and the bytes that the first event allocates,
//! - the time of `policies()`, `health()`, a search by pattern and the exporters for 1000 policies,
//! - nanoseconds of a call of one breaker, in one thread and in two threads, without a reader and
//!   with a reader.
#![allow(clippy::print_stdout, reason = "the program prints a table")]

use std::hint::black_box;
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
    // `cargo test` runs the program without arguments for benches, and needs no figures.
    if !std::env::args().any(|argument| argument == "--bench") {
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

fn listing() {
    let breakers: Vec<_> = (0..POLICIES)
        .map(|number| {
            let name = format!("shop::clients::call_{number}");
            std::sync::Arc::new(CircuitBreaker::new().named(name))
        })
        .collect();
    for breaker in &breakers {
        register(breaker);
        breaker.trip();
    }
    let time = |name: &str, read: &dyn Fn() -> usize| {
        let run = || {
            let start = Instant::now();
            assert!(read() > 0);
            start.elapsed()
        };
        let fastest = (0..20).map(|_| run()).min().unwrap_or_default();
        println!("{name:40}{:8.2} ms", fastest.as_secs_f64() * 1e3);
    };
    time("policies(), 1000 policies", &|| policies().len());
    time("policies_matching(one), 1000 policies", &|| {
        policies_matching("shop::clients::call_500").len()
    });
    time("health(), 1000 policies", &|| health().degraded.len());
    #[cfg(feature = "prometheus")]
    time("prometheus_text(), 1000 policies", &|| resilience::export::prometheus_text().len());
    #[cfg(feature = "metrics")]
    time("record_metrics(), no recorder", &|| {
        resilience::export::record_metrics();
        1
    });
}
