//! Waiting for a permit, and the permit.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::Bulkhead;
use super::semaphore::{Acquired, WaiterId};
use crate::clock::{Delay, Sleep};
use crate::park::Parker;
use crate::rejected::Rejected;
use crate::switch::is_enabled;

/// A permit to run, returned on drop: at the end of the call, on a panic, or with a dropped
/// future. Created by [`Bulkhead::acquire`], [`Bulkhead::acquire_blocking`] and
/// [`Bulkhead::try_acquire`].
#[derive(Debug)]
#[must_use = "the permit is returned on drop"]
pub struct BulkheadPermit<'b> {
    /// `None` while policies are switched off: the call is not counted.
    bulkhead: Option<&'b Bulkhead>,
}

impl<'b> BulkheadPermit<'b> {
    pub(super) fn of(bulkhead: &'b Bulkhead) -> Self {
        Self { bulkhead: Some(bulkhead) }
    }

    pub(super) fn uncounted() -> Self {
        Self { bulkhead: None }
    }
}

impl Drop for BulkheadPermit<'_> {
    fn drop(&mut self) {
        if let Some(bulkhead) = self.bulkhead {
            bulkhead.semaphore.release();
        }
    }
}

type PermitResult<'b> = Result<BulkheadPermit<'b>, Rejected>;

/// A call that waits for a permit. On drop the call leaves the queue; a permit already assigned
/// goes to the next waiter.
#[derive(Debug)]
struct QueueEntry<'b> {
    bulkhead: &'b Bulkhead,
    waiter: Option<WaiterId>,
}

impl<'b> QueueEntry<'b> {
    /// Returns the result, or `None` while the call has to wait for `waker`.
    fn poll(&mut self, waker: &Waker) -> Option<PermitResult<'b>> {
        let bulkhead = self.bulkhead;
        let Some(waiter) = self.waiter else {
            return bulkhead.acquire_now().or_else(|| {
                match bulkhead.semaphore.acquire_or_queue(
                    bulkhead.max(),
                    bulkhead.queue_capacity(),
                    waker.clone(),
                ) {
                    Acquired::Permit => Some(Ok(BulkheadPermit::of(bulkhead))),
                    Acquired::Full => Some(Err(bulkhead.rejected())),
                    Acquired::Queued(waiter) => {
                        self.waiter = Some(waiter);
                        None
                    }
                }
            });
        };
        if bulkhead.semaphore.has_permit(waiter, waker.clone()) {
            self.waiter = None;
            return Some(Ok(BulkheadPermit::of(bulkhead)));
        }
        // Switched off while waiting: the call runs without a permit.
        (!is_enabled()).then(|| self.give_up().or_else(|_| Ok(BulkheadPermit::uncounted())))
    }

    /// Leaves the queue. If a permit has been assigned in the meantime, takes the permit.
    fn give_up(&mut self) -> PermitResult<'b> {
        match self.waiter.take() {
            Some(waiter) if !self.bulkhead.semaphore.leave_queue(waiter) => {
                Ok(BulkheadPermit::of(self.bulkhead))
            }
            _ => Err(self.bulkhead.rejected()),
        }
    }
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        if self.waiter.is_some() {
            drop(self.give_up());
        }
    }
}

/// Blocks the thread until there is a result.
#[cold]
pub(super) fn block(bulkhead: &Bulkhead) -> PermitResult<'_> {
    let parker = Parker::new();
    let waker = parker.waker();
    let mut entry = QueueEntry { bulkhead, waiter: None };
    if let Some(answer) = entry.poll(&waker) {
        return answer;
    }
    let until = bulkhead.wait.and_then(|wait| Delay::start(wait).0.end());
    loop {
        let in_time = parker.park(until);
        if let Some(answer) = entry.poll(&waker) {
            return answer;
        }
        if !in_time {
            return entry.give_up();
        }
    }
}

pin_project! {
    /// A future that waits for a permit. See [`Bulkhead::acquire`].
    ///
    /// The first poll joins the queue and starts the waiting time. On drop the call leaves the
    /// queue.
    #[must_use = "futures do nothing unless awaited"]
    pub struct BulkheadAcquire<'b> {
        entry: QueueEntry<'b>,
        #[pin]
        limit: Option<Sleep>,
    }
}

impl<'b> BulkheadAcquire<'b> {
    pub(super) fn new(bulkhead: &'b Bulkhead) -> Self {
        Self { entry: QueueEntry { bulkhead, waiter: None }, limit: None }
    }
}

impl<'b> Future for BulkheadAcquire<'b> {
    type Output = PermitResult<'b>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PermitResult<'b>> {
        let mut this = self.project();
        // Polled before the time limit: a permit at the last moment is taken.
        if let Some(answer) = this.entry.poll(cx.waker()) {
            return Poll::Ready(answer);
        }
        let Some(wait) = this.entry.bulkhead.wait else { return Poll::Pending };
        if this.limit.is_none() {
            this.limit.set(Some(Delay::start(wait).0.wait()));
        }
        match this.limit.as_mut().as_pin_mut().map(|limit| limit.poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            _ => Poll::Ready(this.entry.give_up()),
        }
    }
}

impl fmt::Debug for BulkheadAcquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QueueEntry { bulkhead, waiter } = &self.entry;
        f.debug_struct("BulkheadAcquire")
            .field("bulkhead", bulkhead)
            .field("is_queued", &waiter.is_some())
            .finish()
    }
}
