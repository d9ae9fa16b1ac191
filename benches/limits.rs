//! The cost of keys, and of calls that leave a queue.
//!
//! `cargo bench --bench limits` prints nanoseconds per call: of processor time, and beside a flood by
//! the clock:
//!
//! - a known key and a new key, in a table of 10 000 and of 1 000 000 keys: with room, full of
//!   stale keys, and full of keys in use,
//! - a known key, alone and beside a thread that floods the table with new keys,
//! - the bytes that a key allocates, in full tables of 10 000 and of 1 000 000 keys of type `u64`,
//! - a call that enters and leaves the queue of a bulkhead or of a rate limit, and its bytes, beside
//!   tokio's semaphore.
#![allow(clippy::print_stdout, reason = "the program prints a table")]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use resilience::__private::{Keyed, KeyedPolicy};
use resilience::{Bulkhead, CircuitBreaker, RateLimiter};

const HOUR: Duration = Duration::from_secs(3600);

/// The processor time of this thread. Elsewhere than on Linux, the time of the clock.
fn processor_time(start: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Nanoseconds of processor time per call.
fn nanos(calls: u32, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    let before = processor_time(start);
    run();
    processor_time(start).saturating_sub(before).as_secs_f64() * 1e9 / f64::from(calls)
}

/// Nanoseconds by the clock per call: the median of many short runs, so that a run without the
/// processor does not count.
fn median(run: impl Fn()) -> f64 {
    const CALLS: u32 = 100;
    const RUNS: usize = 20_001;
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2].as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// A policy with a call that leaves the state of the key in use.
struct Subject<T: KeyedPolicy> {
    name: &'static str,
    /// Makes a state that becomes stale at once.
    make: fn() -> T,
    /// Makes a state stay in use, as a failure or a used permit does.
    occupy: fn(&T::PerKey),
}

/// The cost of keys in a table for `max` keys.
fn keys<T: KeyedPolicy>(subject: &Subject<T>, max: u32) {
    const CALLS: u32 = 1_000_000;
    let tables: Vec<_> = (0..CALLS / max).map(|_| Keyed::new(max, subject.make)).collect();
    let get = |table: &Keyed<T>, key: u32| drop(black_box(table.get(&key)));
    let room =
        nanos(CALLS, || tables.iter().for_each(|table| (0..max).for_each(|key| get(table, key))));
    let table = Keyed::new(max, subject.make);
    (0..max).for_each(|key| get(&table, key));
    let known = nanos(CALLS, || (0..CALLS).for_each(|key| get(&table, key % max)));
    let stale = nanos(CALLS, || (0..CALLS).for_each(|key| get(&table, max + key)));
    let table = Keyed::new(max, subject.make);
    (0..max).for_each(|key| (subject.occupy)(&table.get(&key)));
    let full = nanos(CALLS, || (0..CALLS).for_each(|key| get(&table, max + key)));
    assert!(table.figures().overflow_calls >= u64::from(CALLS / 2));
    println!(
        "| `{}`, {max} keys | {known:.0} | {room:.0} | {stale:.0} | {full:.0} |",
        subject.name
    );
}

/// The bytes that a key allocates.
fn memory<T: KeyedPolicy>(subject: &Subject<T>) {
    let bytes = [10_000, 1_000_000].map(|max| {
        let mut table = None;
        let allocated = measure(|| {
            let table = table.insert(Keyed::new(max, subject.make));
            (0..max).for_each(|key| (subject.occupy)(&table.get(&u64::from(key))));
        });
        assert_eq!(table.map(|table| table.len()), Some(max));
        allocated.bytes_current / i64::from(max)
    });
    println!("| `{}` | {} | {} |", subject.name, bytes[0], bytes[1]);
}

/// A known key beside a flood of new keys on a second thread.
fn flood<T: KeyedPolicy>(subject: &Subject<T>, occupied: bool) {
    const MAX: u32 = 10_000;
    let table = Keyed::new(MAX, subject.make);
    if occupied {
        (0..MAX).for_each(|key| (subject.occupy)(&table.get(&key)));
    }
    let next = Cell::new(0_u32);
    let known = |table: &Keyed<T>| {
        median(|| {
            next.set((next.get() + 1) % 100);
            drop(black_box(table.get(&next.get())));
        })
    };
    let alone = known(&table);
    let stop = AtomicBool::new(false);
    let (beside, new) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let mut key = MAX;
            while !stop.load(Relaxed) {
                drop(black_box(table.get(&key)));
                key = key.wrapping_add(1);
            }
            key - MAX
        });
        let beside = known(&table);
        stop.store(true, Relaxed);
        (beside, flood.join().expect("no panic"))
    });
    let state = if occupied { "in use" } else { "stale" };
    println!(
        "| `{}`, keys {state} | {alone:.0} | {beside:.0} | {:.2} | {new} |",
        subject.name,
        beside / alone
    );
}

/// The cost of entering a queue and of leaving from the front, and the bytes of a waiting call, for
/// each of many calls.
fn waiting(calls: u32) {
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    let bulkhead = Bulkhead::new(1).queue(u32::MAX);
    let _permit = bulkhead.try_acquire();
    let limiter = RateLimiter::new(1, HOUR).wait(Duration::MAX);
    assert!(limiter.try_acquire().is_ok());
    let semaphore = tokio::sync::Semaphore::new(0);
    macro_rules! wait {
        ($name:literal, $wait:expr) => {{
            let mut waiting: Vec<_> = (0..calls).map(|_| Box::pin($wait)).collect();
            let mut bytes = 0;
            let enters = nanos(calls, || {
                let allocated = measure(|| {
                    for call in &mut waiting {
                        assert!(call.as_mut().poll(&mut context).is_pending());
                    }
                });
                bytes = allocated.bytes_current / i64::from(calls);
            });
            let future = size_of_val(&*waiting[0]);
            let leaves = nanos(calls, || drop(waiting));
            println!(
                "| {}, {calls} calls | {enters:.0} | {leaves:.0} | {bytes} | {future} |",
                $name
            );
        }};
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _context = runtime.enter();
    wait!("`Bulkhead`", bulkhead.acquire());
    wait!("`RateLimiter`", limiter.acquire());
    wait!("tokio's semaphore", semaphore.acquire());
}

fn main() {
    let breaker = Subject {
        name: "circuit_breaker",
        make: || CircuitBreaker::new().failure_threshold(5),
        occupy: |breaker| drop(breaker.run(|| Err::<(), _>(Down))),
    };
    let limiter = Subject {
        name: "rate_limit",
        make: || RateLimiter::new(1, HOUR),
        occupy: |limiter| drop(limiter.try_acquire()),
    };
    // A permit that never returns keeps the bulkhead in use.
    let bulkhead = Subject {
        name: "bulkhead",
        make: || Bulkhead::new(1),
        occupy: |bulkhead: &Bulkhead| std::mem::forget(bulkhead.try_acquire()),
    };
    println!(
        "| ns per call | known key | new key, with room | new key, full of stale keys | new key, full |"
    );
    println!("|---|---|---|---|---|");
    for max in [10_000, 1_000_000] {
        keys(&breaker, max);
        keys(&limiter, max);
        keys(&bulkhead, max);
    }
    println!("\n| bytes per key | 10 000 keys | 1 000 000 keys |");
    println!("|---|---|---|");
    memory(&breaker);
    memory(&limiter);
    memory(&bulkhead);
    println!("\n| ns per call of a known key | alone | beside a flood | ratio | new keys |");
    println!("|---|---|---|---|---|");
    for occupied in [false, true] {
        flood(&breaker, occupied);
        flood(&limiter, occupied);
        flood(&bulkhead, occupied);
    }
    println!(
        "\n| waiting calls | enter, ns | leave, ns | bytes of the queue | bytes of the future |"
    );
    println!("|---|---|---|---|---|");
    for calls in [10_000, 160_000] {
        waiting(calls);
    }
}

#[derive(Debug)]
struct Down;

impl From<resilience::Rejected> for Down {
    fn from(_: resilience::Rejected) -> Self {
        Self
    }
}
