//! The guarantees of a bulkhead, through the public API.

mod attribute;
mod calls;
mod deadline;
mod model;
mod owned;
mod queue;
mod threads;
mod time;
mod unlimited;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use resilience::{Bulkhead, BulkheadAcquire, Rejected, RejectedKind};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Counts the wake-ups.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A call in the queue, polled by hand.
struct Waiter<'b> {
    future: Pin<Box<BulkheadAcquire<'b>>>,
    woken: Arc<Woken>,
}

impl<'b> Waiter<'b> {
    /// Joins the queue.
    fn new(bulkhead: &'b Bulkhead) -> Self {
        let mut waiter = Self { future: Box::pin(bulkhead.acquire()), woken: Arc::default() };
        assert!(waiter.poll().is_pending(), "there is no need to wait");
        waiter
    }

    fn poll(&mut self) -> Poll<<BulkheadAcquire<'b> as Future>::Output> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.woken.0.load(SeqCst)
    }
}

/// Returns the output of a future that need not wait.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

fn is_full(rejected: &Rejected) -> bool {
    rejected.kind() == RejectedKind::BulkheadFull && rejected.retry_after().is_none()
}
