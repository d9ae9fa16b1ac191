//! The measured rows: an annotated function each, and the equivalent hand-written code.
//!
//! The hand-written loops count, match, and sleep twice as long as before. The first call always
//! succeeds, but the compiler cannot know the outcome.
#![allow(clippy::inline_always, reason = "both sides of a row have to begin alike")]

use std::hint::black_box;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use resilience::retry;

/// The hand-written loop around an attempt.
macro_rules! attempts {
    ($attempt:expr, $sleep:path $(, $wait:ident)?) => {{
        let mut attempt = 0;
        loop {
            match $attempt {
                Ok(value) => return Ok(value),
                Err(error) if attempt == 3 => return Err(error),
                Err(_) => attempt += 1,
            }
            $sleep(std::time::Duration::from_millis(50 << attempt))$(.$wait)?;
        }
    }};
}

mod answers;
#[macro_use]
mod breaker;
#[macro_use]
mod others;
mod polls;
mod stack;

/// The name of the row and the two sides. A side runs the given number of calls.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) by_hand: fn(u64),
    pub(crate) annotated: fn(u64),
}

/// A row of two functions with a number as argument.
macro_rules! row {
    ($name:literal, $by_hand:expr, $annotated:expr) => {
        Row {
            name: $name,
            by_hand: |calls| repeat(calls, $by_hand),
            annotated: |calls| repeat(calls, $annotated),
        }
    };
}

/// A row of two async functions with a number as argument, inside a tokio runtime, because both
/// functions need the timer.
macro_rules! async_row {
    ($name:literal, $($module:ident)::+) => {
        Row {
            name: $name,
            by_hand: |calls| {
                entered(|| repeat(calls, |input| poll($($module)::+::by_hand(input))));
            },
            annotated: |calls| {
                entered(|| repeat(calls, |input| poll($($module)::+::annotated(input))));
            },
        }
    };
}

pub(crate) const ROWS: &[Row] = &[
    row!("breaker, sync", breaker::sync::by_hand, breaker::sync::annotated),
    row!("breaker, sync, shared", breaker::shared::by_hand, breaker::shared::annotated),
    row!("breaker, sync, inlined", breaker::inlined::by_hand, breaker::inlined::annotated),
    row!("breaker, async", |input| poll(breaker::asynchronous::by_hand(input)), |input| {
        poll(breaker::asynchronous::annotated(input))
    }),
    row!("breaker, `run`", breaker::sync::by_hand, breaker::called::annotated),
    row!("breaker, `run_async`", |input| poll(breaker::asynchronous::by_hand(input)), |input| {
        poll(breaker::called::annotated_async(input))
    }),
    row!("breaker, a window of 100 calls", breaker::calls::by_hand, breaker::calls::annotated),
    row!("breaker, a window of 10 s", breaker::period::by_hand, breaker::period::annotated),
    row!("breaker, slow calls", breaker::measured::by_hand, breaker::measured::annotated),
    row!("breaker, open", breaker::open::by_hand, breaker::open::annotated),
    row!("retry and breaker, sync", breaker::both::by_hand, breaker::both::annotated),
    row!("retry and breaker, async", |input| poll(breaker::both_async::by_hand(input)), |input| {
        poll(breaker::both_async::annotated(input))
    }),
    row!("fallback, sync", others::fall_back::by_hand, others::fall_back::annotated),
    row!("bulkhead, sync", others::places::by_hand, others::places::annotated),
    row!("coalesce, sync", answers::flights::by_hand, answers::flights::annotated),
    row!("last good value, sync", answers::last_good::by_hand, answers::last_good::annotated),
    row!("rate limit, sync", others::rate::by_hand, others::rate::annotated),
    async_row!("fallback, async", others::fall_back_async),
    async_row!("bulkhead, async", others::places_async),
    async_row!("timeout, async", others::time),
    async_row!("hedge, async", others::hedged),
    async_row!("hedge, a learned quantile, async", others::hedged_by_quantile),
    async_row!("retry, breaker and timeout, async", stack::three),
    async_row!("retry, async, the error of a breaker", stack::retried),
    async_row!("all five, async", stack::five),
    async_row!("(the plain async function)", stack::plain),
    row!("sync", sync::by_hand, sync::annotated),
    row!("sync, inlined into its caller", inlined::by_hand, inlined::annotated),
    row!("sync, a body of three instructions", tiny::by_hand, tiny::annotated),
    row!("sync, with a deadline", deadline::by_hand, deadline::annotated),
    row!("sync, with a budget", budget::by_hand, budget::annotated),
    row!("async", |input| poll(block::by_hand(input)), |input| poll(block::annotated(input))),
    row!("async, a body of one await", |input| poll(one::by_hand(input)), |input| {
        poll(one::annotated(input))
    }),
    row!("async, a value of 256 bytes", |input| poll(large::by_hand(input)), |input| {
        poll(large::annotated(input))
    }),
    Row {
        name: "timeout, a further poll",
        by_hand: |calls| entered(|| polls::timed::by_hand(calls)),
        annotated: |calls| entered(|| polls::timed::annotated(calls)),
    },
    Row {
        name: "a deadline of a retry, a further poll",
        by_hand: |calls| entered(|| polls::retried::by_hand(calls)),
        annotated: |calls| entered(|| polls::retried::annotated(calls)),
    },
    row!("(only the loop that measures)", work, work),
];

/// The body of the retried function.
#[inline(never)]
fn work(input: u32) -> Result<u32, u32> {
    black_box(input).checked_add(1).ok_or(input)
}

#[inline(always)]
fn repeat<T>(calls: u64, call: impl Fn(u32) -> T) {
    for _ in 0..calls {
        black_box(call(black_box(7)));
    }
}

fn entered(calls: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    calls();
}

/// Polls a ready future through a trait object, as executors do.
#[inline(always)]
fn poll<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let future: Pin<&mut dyn Future<Output = T>> = future.as_mut();
    match black_box(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the first call succeeds, and nothing waits"),
    }
}

mod sync {
    use super::{retry, work};

    #[inline(never)]
    pub(super) fn by_hand(input: u32) -> Result<u32, u32> {
        attempts!(work(input), std::thread::sleep)
    }

    #[inline(never)]
    #[retry(attempts = 4)]
    pub(super) fn annotated(input: u32) -> Result<u32, u32> {
        work(input)
    }
}

mod inlined {
    use super::{retry, work};

    #[inline(always)]
    pub(super) fn by_hand(input: u32) -> Result<u32, u32> {
        attempts!(work(input), std::thread::sleep)
    }

    #[inline(always)]
    #[retry(attempts = 4)]
    pub(super) fn annotated(input: u32) -> Result<u32, u32> {
        work(input)
    }
}

mod tiny {
    use super::{black_box, retry};

    #[inline(never)]
    pub(super) fn by_hand(input: u32) -> Result<u32, u32> {
        attempts!(black_box(input).checked_add(1).ok_or(input), std::thread::sleep)
    }

    #[inline(never)]
    #[retry(attempts = 4)]
    pub(super) fn annotated(input: u32) -> Result<u32, u32> {
        black_box(input).checked_add(1).ok_or(input)
    }
}

mod deadline {
    use super::{Duration, Instant, retry, work};

    #[inline(never)]
    pub(super) fn by_hand(input: u32) -> Result<u32, u32> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut attempt = 0;
        loop {
            let error = match work(input) {
                Ok(value) => return Ok(value),
                Err(error) if attempt == 3 => return Err(error),
                Err(error) => error,
            };
            attempt += 1;
            let delay = Duration::from_millis(50 << attempt);
            if Instant::now() + delay >= deadline {
                return Err(error);
            }
            std::thread::sleep(delay);
        }
    }

    #[inline(never)]
    #[retry(attempts = 4, deadline = "30s")]
    pub(super) fn annotated(input: u32) -> Result<u32, u32> {
        work(input)
    }
}

mod budget {
    use super::{AtomicU32, Duration, Relaxed, retry, work};

    /// A token store: a retry takes 14, a success returns 1, and a successful retry returns the
    /// 14.
    struct Tokens(AtomicU32);

    impl Tokens {
        const CAPACITY: u32 = 500;

        fn take(&self, cost: u32) -> bool {
            self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(cost)).is_ok()
        }

        fn give(&self, tokens: u32) {
            let _ = self.0.fetch_update(Relaxed, Relaxed, |left| {
                (left < Self::CAPACITY).then(|| Self::CAPACITY.min(left + tokens))
            });
        }
    }

    #[inline(never)]
    pub(super) fn by_hand(input: u32) -> Result<u32, u32> {
        static TOKENS: Tokens = Tokens(AtomicU32::new(Tokens::CAPACITY));
        let mut attempt = 0;
        loop {
            match work(input) {
                Ok(value) => {
                    TOKENS.give(if attempt == 0 { 1 } else { 14 });
                    return Ok(value);
                }
                Err(error) if attempt == 3 || !TOKENS.take(14) => return Err(error),
                Err(_) => attempt += 1,
            }
            std::thread::sleep(Duration::from_millis(50 << attempt));
        }
    }

    #[inline(never)]
    #[retry(attempts = 4, budget)]
    pub(super) fn annotated(input: u32) -> Result<u32, u32> {
        work(input)
    }
}

/// A body with `?`. The hand-written side needs a block or a helper function.
mod block {
    use super::{retry, work};

    pub(super) async fn by_hand(input: u32) -> Result<u32, u32> {
        attempts!(
            async {
                let value = std::future::ready(work(input)).await?;
                Ok(value ^ input)
            }
            .await,
            tokio::time::sleep,
            await
        )
    }

    #[retry(attempts = 4)]
    pub(super) async fn annotated(input: u32) -> Result<u32, u32> {
        let value = std::future::ready(work(input)).await?;
        Ok(value ^ input)
    }
}

/// A body that is a single expression. The hand-written side needs no block.
mod one {
    use super::{retry, work};

    pub(super) async fn by_hand(input: u32) -> Result<u32, u32> {
        attempts!(std::future::ready(work(input)).await, tokio::time::sleep, await)
    }

    #[retry(attempts = 4)]
    pub(super) async fn annotated(input: u32) -> Result<u32, u32> {
        std::future::ready(work(input)).await
    }
}

mod large {
    use super::{retry, work};

    async fn fetch(input: u32) -> Result<[u32; 64], u32> {
        Ok([std::future::ready(work(input)).await?; 64])
    }

    pub(super) async fn by_hand(input: u32) -> Result<[u32; 64], u32> {
        attempts!(fetch(input).await, tokio::time::sleep, await)
    }

    #[retry(attempts = 4)]
    pub(super) async fn annotated(input: u32) -> Result<[u32; 64], u32> {
        fetch(input).await
    }
}
