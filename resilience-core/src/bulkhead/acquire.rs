//! Waiting for a permit, and holding one.

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

/// The right to run, given back when it is dropped: at the end of the call, on a panic, and with a
/// future that is dropped half-way. Made by [`Bulkhead::acquire`] and its siblings.
#[derive(Debug)]
#[must_use = "the permit is given back as soon as it is dropped"]
pub struct BulkheadPermit<'b> {
    /// None where the call was not counted, because policies are switched off.
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

/// One call's way to a permit. Dropped in the queue it leaves the queue, and a permit that it has been
/// handed by then goes to the next.
#[derive(Debug)]
struct QueueEntry<'b> {
    bulkhead: &'b Bulkhead,
    waiter: Option<WaiterId>,
}

impl<'b> QueueEntry<'b> {
    /// The answer, or nothing as long as the call has to wait for `waker` to be woken.
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
        // Switched off in the meantime: nobody has to wait any more.
        (!is_enabled()).then(|| self.give_up().or_else(|_| Ok(BulkheadPermit::uncounted())))
    }

    /// Leaves the queue; a permit that has been handed over by now is taken all the same.
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

/// Blocks the thread until there is an answer.
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
    /// A permit that is waited for, without blocking the thread. See [`Bulkhead::acquire`].
    ///
    /// Nothing happens before it is first polled: only then does it stand in the queue, and only then
    /// does its time begin. Dropped, it leaves the queue.
    #[must_use = "a future does nothing unless it is awaited"]
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
        // Before the time is looked at: a permit that comes at the last moment is taken.
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
