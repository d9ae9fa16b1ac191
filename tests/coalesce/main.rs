//! The guarantees of `#[coalesce]` and `Coalescer`, through the public API.

#![allow(clippy::items_after_statements, reason = "items stand beside the test that uses them")]

mod attribute;
mod blocking;
mod deadlines;
mod dropped;
mod facts;
mod instances;
mod panics;
mod shared;
mod tasks;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use futures::channel::oneshot;
use resilience::{Coalescer, Rejected};

/// A failure of a body, or a rejection.
#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Down,
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

type Outcome = Result<String, Failure>;

/// Counts the wake-ups.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A call polled by hand.
struct Caller<'c> {
    future: Pin<Box<dyn Future<Output = Outcome> + 'c>>,
    woken: Arc<Woken>,
    /// The wake-ups before the last poll; `None` before the first poll.
    seen: Option<usize>,
}

impl<'c> Caller<'c> {
    fn new(future: impl Future<Output = Outcome> + 'c) -> Self {
        Self { future: Box::pin(future), woken: Arc::default(), seen: None }
    }

    /// Creates a call and polls once.
    fn started(future: impl Future<Output = Outcome> + 'c) -> Self {
        let mut caller = Self::new(future);
        assert_eq!(caller.poll(), None);
        caller
    }

    fn poll(&mut self) -> Option<Outcome> {
        self.seen = Some(self.wakes());
        let waker = Waker::from(Arc::clone(&self.woken));
        match self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Returns whether an executor would poll the call.
    fn is_due(&self) -> bool {
        self.seen.is_none_or(|seen| self.wakes() > seen)
    }

    fn wakes(&self) -> usize {
        self.woken.0.load(SeqCst)
    }
}

/// A body with a count of runs. Waits for a signal.
struct Body {
    runs: AtomicUsize,
}

impl Body {
    const fn new() -> Self {
        Self { runs: AtomicUsize::new(0) }
    }

    async fn run(&self, end: oneshot::Receiver<Outcome>) -> Outcome {
        self.runs.fetch_add(1, SeqCst);
        end.await.expect("the test sends an outcome")
    }

    fn runs(&self) -> usize {
        self.runs.load(SeqCst)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the outcome of a body")]
fn ok(text: &str) -> Outcome {
    Ok(text.to_owned())
}

/// Returns a call of `key` that ends with the outcome of the sender.
fn call<'c>(
    coalescer: &'c Coalescer,
    key: u32,
    body: &'c Body,
) -> (oneshot::Sender<Outcome>, Caller<'c>) {
    let (end, ended) = oneshot::channel();
    (end, Caller::new(async move { coalescer.run_async(&key, body.run(ended)).await }))
}
