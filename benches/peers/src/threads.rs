//! A closed breaker, a bulkhead, and a table of rate limits, under concurrent calls from several threads.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use recloser::Recloser;
use tokio::sync::Semaphore;

use crate::consecutive::{
    by_hand, failsafe, failsafe_called, nobreak_called, ours, recloser_called,
};
use crate::limits::{KEYS, concurrent_by_hand, concurrent_ours, keyed_governor, keyed_ours, next};
use crate::windows::calls_failing_ours;
use crate::{repeat, repeat_flaky, work};

const BREAKER: &str = "shared breaker, closed";
const FAILING: &str = "shared breaker, half of 100 calls, 1 % of the calls fail";
const CONCURRENT: &str = "shared bulkhead of 10 calls";
const LIMIT: &str = "shared rate limit, 1000 keys for each thread";

/// A policy shared by threads.
#[derive(Debug)]
pub struct Shared {
    /// The name of the row.
    pub name: &'static str,
    /// The crate.
    pub subject: &'static str,
    /// Returns the time until every thread has finished the calls.
    pub run: fn(threads: u32, calls: u64) -> Duration,
}

/// Rows of one name stand together.
pub const SHARED: &[Shared] = &[
    Shared {
        name: BREAKER,
        subject: "by hand: a count in an atomic",
        run: |threads, calls| together(threads, || repeat(calls, by_hand)),
    },
    Shared {
        name: BREAKER,
        subject: "resilience `#[circuit_breaker]`",
        run: |threads, calls| together(threads, || repeat(calls, ours)),
    },
    Shared {
        name: BREAKER,
        subject: "failsafe",
        run: |threads, calls| {
            let breaker = failsafe();
            together(threads, || repeat(calls, |input| failsafe_called(&breaker, input)))
        },
    },
    Shared {
        name: BREAKER,
        subject: "nobreak",
        run: |threads, calls| {
            let breaker = nobreak::breaker();
            together(threads, || repeat(calls, |input| nobreak_called(&breaker, input)))
        },
    },
    Shared {
        name: BREAKER,
        subject: "recloser (a ring of 5 calls)",
        run: |threads, calls| {
            let breaker = Recloser::custom().error_rate(1.0).closed_len(5).build();
            together(threads, || repeat(calls, |input| recloser_called(&breaker, input)))
        },
    },
    Shared {
        name: FAILING,
        subject: "resilience `#[circuit_breaker]`",
        run: |threads, calls| together(threads, || repeat_flaky(calls, 100, calls_failing_ours)),
    },
    Shared {
        name: FAILING,
        subject: "recloser",
        run: |threads, calls| {
            let breaker = Recloser::custom().error_rate(0.5).closed_len(100).build();
            let call = || repeat_flaky(calls, 100, |input| recloser_called(&breaker, input));
            together(threads, call)
        },
    },
    Shared {
        name: CONCURRENT,
        subject: "by hand: a count in an atomic",
        run: |threads, calls| together(threads, || repeat(calls, concurrent_by_hand)),
    },
    Shared {
        name: CONCURRENT,
        subject: "resilience `#[bulkhead]`",
        run: |threads, calls| together(threads, || repeat(calls, concurrent_ours)),
    },
    Shared {
        name: CONCURRENT,
        subject: "tokio `Semaphore`",
        run: |threads, calls| {
            let semaphore = Semaphore::new(10);
            together(threads, || {
                repeat(calls, |input| semaphore.try_acquire().map(|_permit| work(input)))
            })
        },
    },
    Shared {
        name: LIMIT,
        subject: "resilience `#[rate_limit(key = …)]`",
        run: |threads, calls| {
            with_keys(threads, |first| {
                let mut key = 0;
                repeat(calls, |input| keyed_ours(first + next(&mut key), input));
            })
        },
    },
    Shared {
        name: LIMIT,
        subject: "governor",
        run: |threads, calls| {
            let limiter = keyed_governor();
            with_keys(threads, |first| {
                let mut key = 0;
                repeat(calls, |input| {
                    limiter.check_key(&(first + next(&mut key))).map(|()| work(input))
                });
            })
        },
    },
];

/// Runs calls with other keys in each thread.
fn with_keys(threads: u32, calls: impl Fn(u32) + Sync) -> Duration {
    let started = AtomicU32::new(0);
    together(threads, || calls(started.fetch_add(1, Relaxed) * KEYS))
}

/// The time of the slowest thread; all threads start together.
fn together(threads: u32, calls: impl Fn() + Sync) -> Duration {
    let (start, calls) = (Barrier::new(threads as usize), &calls);
    let one = || {
        start.wait();
        let began = Instant::now();
        calls();
        began.elapsed()
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let ended = running.into_iter().map(|thread| thread.join().expect("no panic in a call"));
        ended.max().unwrap_or_default()
    })
}
