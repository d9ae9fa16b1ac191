//! Limits that have room: a rate limit, a rate limit per key, and a limit of concurrent calls.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use resilience::{bulkhead, rate_limit};
use tokio::sync::Semaphore;

use crate::{Failure, Result, Row, poll, repeat, work, work_async};

/// No call has to wait: a permit per nanosecond.
const RATE: u32 = 1_000_000_000;
pub(crate) const KEYS: u32 = 1000;

const NAME_RATE: &str = "rate limit, a permit is there";
const NAME_KEYED: &str = "rate limit, a permit is there, 1000 keys";
const NAME_REJECTED: &str = "rate limit, no permit is there";
const NAME_CONCURRENT: &str = "bulkhead of 10 calls";
const NAME_QUEUED: &str = "bulkhead of 10 calls with a queue, async";

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: NAME_RATE,
        subject: "resilience `#[rate_limit]`",
        run: |calls| repeat(calls, rate_ours),
    },
    Row {
        name: NAME_RATE,
        subject: "governor",
        run: |calls| {
            let limiter = RateLimiter::direct(quota());
            repeat(calls, |input| match limiter.check() {
                Ok(()) => work(input),
                Err(_) => Err(Failure::Rejected),
            });
        },
    },
    Row {
        name: NAME_REJECTED,
        subject: "resilience `#[rate_limit]`",
        run: |calls| repeat(calls, rejected_ours),
    },
    Row {
        name: NAME_REJECTED,
        subject: "governor",
        run: |calls| {
            let limiter = RateLimiter::direct(Quota::per_hour(NonZeroU32::MIN));
            repeat(calls, |input| match limiter.check() {
                Ok(()) => work(input),
                Err(_) => Err(Failure::Rejected),
            });
        },
    },
    Row {
        name: NAME_KEYED,
        subject: "resilience `#[rate_limit(key = …)]`",
        run: |calls| {
            let mut key = 0;
            repeat(calls, |input| keyed_ours(next(&mut key), input));
        },
    },
    Row {
        name: NAME_KEYED,
        subject: "governor",
        run: |calls| {
            let (limiter, mut key) = (keyed_governor(), 0);
            repeat(calls, |input| match limiter.check_key(&next(&mut key)) {
                Ok(()) => work(input),
                Err(_) => Err(Failure::Rejected),
            });
        },
    },
    Row {
        name: NAME_CONCURRENT,
        subject: "by hand: a count in an atomic",
        run: |calls| repeat(calls, concurrent_by_hand),
    },
    Row {
        name: NAME_CONCURRENT,
        subject: "resilience `#[bulkhead]`",
        run: |calls| repeat(calls, concurrent_ours),
    },
    Row {
        name: NAME_CONCURRENT,
        subject: "tokio `Semaphore`",
        run: |calls| {
            let semaphore = Semaphore::new(10);
            repeat(calls, |input| match semaphore.try_acquire() {
                Ok(_permit) => work(input),
                Err(_) => Err(Failure::Rejected),
            });
        },
    },
    Row {
        name: NAME_QUEUED,
        subject: "resilience `#[bulkhead(queue = …)]`",
        run: |calls| repeat(calls, |input| poll(queued_ours(input))),
    },
    Row {
        name: NAME_QUEUED,
        subject: "tokio `Semaphore`",
        run: |calls| {
            let semaphore = Semaphore::new(10);
            repeat(calls, |input| {
                poll(async {
                    let _permit = semaphore.acquire().await.map_err(|_| Failure::Rejected)?;
                    work_async(input).await
                })
            });
        },
    },
];

fn quota() -> Quota {
    let rate = NonZeroU32::new(RATE).unwrap_or(NonZeroU32::MAX);
    Quota::per_second(rate)
}

pub(crate) fn keyed_governor() -> DefaultKeyedRateLimiter<u32> {
    RateLimiter::keyed(quota())
}

pub(crate) fn next(key: &mut u32) -> u32 {
    *key = (*key + 1) % KEYS;
    black_box(*key)
}

#[inline(never)]
#[rate_limit(rate = 1_000_000_000, burst = 1_000_000)]
fn rate_ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
#[rate_limit(rate = 1, per = "1h")]
fn rejected_ours(input: u32) -> Result<u32> {
    work(input)
}

#[inline(never)]
#[rate_limit(rate = 1_000_000_000, burst = 1_000_000, key = key)]
pub(crate) fn keyed_ours(key: u32, input: u32) -> Result<u32> {
    work(input)
}

/// The calls that run under the limit by hand.
static RUNNING: AtomicU32 = AtomicU32::new(0);

/// Ends a call by hand, also after a panic.
struct Ends;

impl Drop for Ends {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Relaxed);
    }
}

#[inline(never)]
pub(crate) fn concurrent_by_hand(input: u32) -> Result<u32> {
    let before = RUNNING.fetch_add(1, Relaxed);
    let _ends = Ends;
    if before < 10 { work(input) } else { Err(Failure::Rejected) }
}

#[bulkhead(max = 10, queue = 100)]
async fn queued_ours(input: u32) -> Result<u32> {
    work_async(input).await
}

#[inline(never)]
#[bulkhead(max = 10)]
pub(crate) fn concurrent_ours(input: u32) -> Result<u32> {
    work(input)
}
