//! Functions under a breaker or a retry of this library and of others: `scripts/peers` counts and
//! times them. What wraps a function differs; the function does not.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use resilience::Rejected;

mod consecutive;
mod open;
mod retry;
pub mod threads;
mod windows;

/// One function of one crate, called as often as one likes.
#[derive(Debug)]
pub struct Row {
    /// What is measured.
    pub name: &'static str,
    /// Whose it is; with a word on the kind, where there are several.
    pub subject: &'static str,
    /// Makes the breaker, and then as many calls as it is told.
    pub run: fn(u64),
}

/// Every row, ours before the others.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [consecutive::SYNC, consecutive::ASYNC, windows::CALLS, windows::TIME, open::ROWS]
        .into_iter()
        .chain([retry::SYNC, retry::ASYNC, LOOP])
        .flatten()
}

/// What is in every figure.
const LOOP: &[Row] = &[Row {
    name: "(only the loop that measures)",
    subject: "–",
    run: |calls| repeat(calls, work),
}];

/// The error of the function, which can be made of a rejection of ours.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Down(#[allow(dead_code, reason = "carried, as an error is")] u32),
    Rejected,
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::Rejected
    }
}

type Result<T> = std::result::Result<T, Failure>;

/// The function: it succeeds for the numbers that it is given, and no compiler can know.
#[inline(never)]
fn work(input: u32) -> Result<u32> {
    black_box(input).checked_add(1).ok_or(Failure::Down(input))
}

async fn work_async(input: u32) -> Result<u32> {
    std::future::ready(work(input)).await
}

/// What opens a breaker.
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

/// Polls a future that is ready at once, as executors do: without knowing its type.
#[inline(always)]
fn poll<T>(future: impl Future<Output = T> + Send) -> T {
    let mut future = std::pin::pin!(future);
    let future: Pin<&mut (dyn Future<Output = T> + Send)> = future.as_mut();
    match black_box(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing waits"),
    }
}
