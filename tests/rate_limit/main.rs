//! The guarantees of a rate limiter, through the public API.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod attribute;
mod calls;
mod cost;
mod deadline;
mod dropped;
mod model;
mod numbers;
mod properties;
mod rate;
mod reservations;
mod shadow;
mod shared;
mod turns;
mod unlimited;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilience::{RateLimiter, Rejected, RejectedKind};

const SECOND: Duration = Duration::from_secs(1);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// Returns the wait of a rejected call.
fn left<T>(answer: Result<T, Rejected>) -> Option<Duration> {
    let rejected = answer.err()?;
    assert_eq!(rejected.kind(), RejectedKind::RateLimited);
    Some(rejected.retry_after().expect("the time is known"))
}

/// Returns the number of calls admitted at once.
fn drain(limiter: &RateLimiter) -> usize {
    (0..10_000).take_while(|_| limiter.try_acquire().is_ok()).count()
}

/// Returns the output of a future that need not wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}
