//! Functions under a breaker, a retry, a limit or a hedge of this crate and of other crates, and
//! endpoints with idempotency keys. `scripts/peers` counts and times the calls. The wrapped
//! function is always the same.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use resilience::Rejected;
use tokio::runtime::Runtime;

mod consecutive;
mod endpoints;
mod hedges;
mod limits;
mod open;
mod retry;
pub mod threads;
mod timeouts;
mod windows;

/// A measured function of one crate.
#[derive(Debug)]
pub struct Row {
    /// The name of the row.
    pub name: &'static str,
    /// The crate, with the kind of policy if the crate has several.
    pub subject: &'static str,
    /// Creates the breaker, and then runs the given number of calls.
    pub run: fn(u64),
}

/// Every row. Rows of one name stand together.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        consecutive::SYNC,
        consecutive::ASYNC,
        windows::CALLS,
        windows::CALLS_ASYNC,
        windows::CALLS_FAILING,
        windows::TIME,
        windows::TIME_ASYNC,
        windows::TIME_FAILING,
        windows::SLOW,
        open::SYNC,
        open::ASYNC,
        retry::SYNC,
        retry::FAILED,
        retry::ASYNC,
        retry::FAILED_ASYNC,
        retry::DEADLINE,
        retry::BUDGET,
        limits::ROWS,
        timeouts::ROWS,
        hedges::READY,
        hedges::WAITING,
        endpoints::NEW,
        endpoints::KNOWN,
        LOOP,
    ]
    .into_iter()
    .flatten()
}

/// The fixed part of every figure.
const LOOP: &[Row] = &[Row {
    name: "(only the loop that measures)",
    subject: "–",
    run: |calls| repeat(calls, work),
}];

/// The error of the function, which can be created from a rejection.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Down(#[allow(dead_code, reason = "only stored")] u32),
    Rejected,
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// The body: succeeds for the given numbers, but the compiler cannot know the outcome.
#[inline(never)]
fn work(input: u32) -> Result<u32> {
    black_box(input).checked_add(1).ok_or(Failure::Down(input))
}

async fn work_async(input: u32) -> Result<u32> {
    std::future::ready(work(input)).await
}

/// The body of a dependency that fails at one call of many.
#[derive(Debug)]
struct Flaky {
    every: u32,
    calls: std::cell::Cell<u32>,
}

impl Flaky {
    const fn new(every: u32) -> Self {
        Self { every, calls: std::cell::Cell::new(0) }
    }

    /// Returns the input for the next call: `work` fails for the largest number.
    fn input(&self) -> u32 {
        let call = self.calls.get() + 1;
        self.calls.set(if call == self.every { 0 } else { call });
        if call == self.every { u32::MAX } else { 7 }
    }
}

/// Runs the calls; one of `every` calls fails.
#[inline(always)]
fn repeat_flaky<T>(calls: u64, every: u32, mut call: impl FnMut(u32) -> T) {
    let flaky = Flaky::new(every);
    repeat(calls, |_| call(flaky.input()));
}

/// The failures that open a breaker.
#[inline(never)]
fn fails(input: u32) -> Result<u32> {
    work(input).and(Err(Failure::Down(1)))
}

#[inline(always)]
fn repeat<T>(calls: u64, mut call: impl FnMut(u32) -> T) {
    for _ in 0..calls {
        black_box(call(black_box(7)));
    }
}

/// Polls a future through a trait object, as executors do, until the future is ready.
#[inline(always)]
fn poll<T>(future: impl Future<Output = T> + Send) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        let future: Pin<&mut (dyn Future<Output = T> + Send)> = future.as_mut();
        if let Poll::Ready(value) = black_box(future).poll(&mut Context::from_waker(Waker::noop()))
        {
            return value;
        }
    }
}

/// A runtime with a timer, as the services of the peers require.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Runs the calls in the context of a runtime, which timers need.
fn with_timer<F>(calls: u64, call: impl Fn(u32) -> F)
where
    F: Future<Output = Result<u32>> + Send,
{
    let runtime = runtime();
    let _context = runtime.enter();
    repeat(calls, |input| poll(call(input)));
}
