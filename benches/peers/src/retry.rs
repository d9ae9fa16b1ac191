//! At most four attempts; the first attempt succeeds, or fails with an error that is not retried.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use backon::{BlockingRetryable as _, ExponentialBuilder, Retryable as _};
use resilience::{RetryPolicy, retry};

use crate::{Failure, Result, Row, fails, poll, repeat, work, work_async};

const NAME: &str = "retry, the first call succeeds";

pub(crate) const SYNC: &[Row] = &[
    Row { name: NAME, subject: "by hand: a loop", run: |calls| repeat(calls, by_hand) },
    Row { name: NAME, subject: "resilience `#[retry]`", run: |calls| repeat(calls, ours) },
    Row { name: NAME, subject: "backon", run: |calls| repeat(calls, by_backon) },
];

const NAME_FAILED: &str = "retry, the first call fails for good";

pub(crate) const FAILED: &[Row] = &[
    Row {
        name: NAME_FAILED,
        subject: "by hand: a loop",
        run: |calls| repeat(calls, failed_by_hand),
    },
    Row {
        name: NAME_FAILED,
        subject: "resilience `#[retry]`",
        run: |calls| repeat(calls, failed_ours),
    },
    Row {
        name: NAME_FAILED,
        subject: "resilience `RetryPolicy::run`",
        run: |calls| repeat(calls, |input| RETRY.on(is_retried).run(|| fails(input))),
    },
    Row {
        name: NAME_FAILED,
        subject: "backon",
        run: |calls| {
            repeat(calls, |input| (|| fails(input)).retry(backoff()).when(is_retried).call());
        },
    },
];

const NAME_FAILED_ASYNC: &str = "retry, the first call fails for good, async";

pub(crate) const FAILED_ASYNC: &[Row] = &[
    Row {
        name: NAME_FAILED_ASYNC,
        subject: "by hand: a loop",
        run: |calls| repeat(calls, |input| poll(failed_by_hand_async(input))),
    },
    Row {
        name: NAME_FAILED_ASYNC,
        subject: "resilience `#[retry]`",
        run: |calls| repeat(calls, |input| poll(failed_ours_async(input))),
    },
    Row {
        name: NAME_FAILED_ASYNC,
        subject: "backon",
        run: |calls| {
            repeat(calls, |input| {
                poll(async move { (|| fails_async(input)).retry(backoff()).when(is_retried).await })
            });
        },
    },
];

static RETRY: RetryPolicy = RetryPolicy::new().attempts(4);

fn is_retried(_: &Failure) -> bool {
    black_box(false)
}

#[inline(never)]
fn failed_by_hand(input: u32) -> Result<u32> {
    let mut attempt = 0;
    loop {
        match fails(input) {
            Ok(value) => return Ok(value),
            Err(error) if attempt == 3 || !is_retried(&error) => return Err(error),
            Err(_) => attempt += 1,
        }
        std::thread::sleep(Duration::from_millis(50 << attempt));
    }
}

#[inline(never)]
#[retry(attempts = 4, on = is_retried)]
fn failed_ours(input: u32) -> Result<u32> {
    fails(input)
}

async fn fails_async(input: u32) -> Result<u32> {
    fails(input)
}

async fn failed_by_hand_async(input: u32) -> Result<u32> {
    let mut attempt = 0;
    loop {
        match fails_async(input).await {
            Ok(value) => return Ok(value),
            Err(error) if attempt == 3 || !is_retried(&error) => return Err(error),
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
}

#[retry(attempts = 4, on = is_retried)]
async fn failed_ours_async(input: u32) -> Result<u32> {
    fails_async(input).await
}

const NAME_DEADLINE: &str = "retry, the first call succeeds, with a deadline";

pub(crate) const DEADLINE: &[Row] = &[
    Row {
        name: NAME_DEADLINE,
        subject: "by hand: a loop",
        run: |calls| repeat(calls, deadline_by_hand),
    },
    Row {
        name: NAME_DEADLINE,
        subject: "resilience `#[retry(deadline = …)]`",
        run: |calls| repeat(calls, deadline_ours),
    },
];

#[inline(never)]
fn deadline_by_hand(input: u32) -> Result<u32> {
    let end = Instant::now() + Duration::from_secs(10);
    let mut attempt = 0;
    loop {
        match work(input) {
            Ok(value) => return Ok(value),
            Err(error) if attempt == 3 || Instant::now() >= end => return Err(error),
            Err(_) => attempt += 1,
        }
        std::thread::sleep(Duration::from_millis(50 << attempt));
    }
}

#[inline(never)]
#[retry(attempts = 4, deadline = "10s")]
fn deadline_ours(input: u32) -> Result<u32> {
    work(input)
}

const NAME_BUDGET: &str = "retry, the first call succeeds, with a budget";

pub(crate) const BUDGET: &[Row] = &[
    Row {
        name: NAME_BUDGET,
        subject: "by hand: a loop",
        run: |calls| repeat(calls, budget_by_hand),
    },
    Row {
        name: NAME_BUDGET,
        subject: "resilience `#[retry(budget)]`",
        run: |calls| repeat(calls, budget_ours),
    },
];

/// The tokens of the loop by hand, in tenths.
static TOKENS: AtomicU32 = AtomicU32::new(1000);

#[inline(never)]
fn budget_by_hand(input: u32) -> Result<u32> {
    let mut attempt = 0;
    loop {
        match work(input) {
            Ok(value) => {
                if TOKENS.load(Relaxed) < 1000 {
                    TOKENS.fetch_add(1, Relaxed);
                }
                return Ok(value);
            }
            Err(error) if attempt == 3 => return Err(error),
            Err(error) => {
                let spent = TOKENS.fetch_update(Relaxed, Relaxed, |tokens| tokens.checked_sub(10));
                if spent.is_err() {
                    return Err(error);
                }
                attempt += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(50 << attempt));
    }
}

#[inline(never)]
#[retry(attempts = 4, budget)]
fn budget_ours(input: u32) -> Result<u32> {
    work(input)
}

const NAME_ASYNC: &str = "retry, the first call succeeds, async";

pub(crate) const ASYNC: &[Row] = &[
    Row {
        name: NAME_ASYNC,
        subject: "by hand: a loop",
        run: |calls| repeat(calls, |input| poll(by_hand_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "resilience `#[retry]`",
        run: |calls| repeat(calls, |input| poll(ours_async(input))),
    },
    Row {
        name: NAME_ASYNC,
        subject: "backon",
        run: |calls| repeat(calls, |input| poll(by_backon_async(input))),
    },
];

macro_rules! attempts {
    ($attempt:expr, $sleep:path $(, $wait:ident)?) => {{
        let mut attempt = 0;
        loop {
            match $attempt {
                Ok(value) => return Ok(value),
                Err(error) if attempt == 3 => return Err(error),
                Err(_) => attempt += 1,
            }
            $sleep(Duration::from_millis(50 << attempt))$(.$wait)?;
        }
    }};
}

#[inline(never)]
fn by_hand(input: u32) -> Result<u32> {
    attempts!(work(input), std::thread::sleep)
}

#[inline(never)]
#[retry(attempts = 4)]
fn ours(input: u32) -> Result<u32> {
    work(input)
}

/// The default delays of this crate: 100 ms, doubled each time, at most 10 s, with jitter.
fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(3)
        .with_jitter()
}

#[inline(never)]
fn by_backon(input: u32) -> Result<u32> {
    (|| work(input)).retry(backoff()).call()
}

async fn by_hand_async(input: u32) -> Result<u32> {
    attempts!(work_async(input).await, tokio::time::sleep, await)
}

#[retry(attempts = 4)]
async fn ours_async(input: u32) -> Result<u32> {
    work_async(input).await
}

async fn by_backon_async(input: u32) -> Result<u32> {
    (|| work_async(input)).retry(backoff()).await
}
