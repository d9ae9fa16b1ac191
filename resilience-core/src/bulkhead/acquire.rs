//! Waiting for a permit.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::semaphore::Acquired;
use super::{Bulkhead, BulkheadPermit};
use crate::attempt_scope;
use crate::clock::{Delay, Sleep, Timestamp, now};
use crate::context::current;
use crate::park::Parker;
use crate::registry::policy::{WaitEnd, count_success, count_wait, list_waiting};
use crate::rejected::Rejected;
use crate::switch;
use crate::waiters::WaiterId;

type PermitResult<'b> = Result<BulkheadPermit<'b>, Rejected>;

/// A call that waits for a permit. On drop the call leaves the queue; a permit already assigned
/// goes to the next waiter.
#[derive(Debug)]
struct QueueEntry<'b> {
    bulkhead: &'b Bulkhead,
    /// The end of the whole call.
    deadline: Option<Timestamp>,
    /// The longest wait, if longer than the wait of the bulkhead, in nanoseconds.
    patience: u64,
    waiter: Option<WaiterId>,
    /// The start of the wait.
    since: Option<Timestamp>,
}

impl<'b> QueueEntry<'b> {
    fn new(bulkhead: &'b Bulkhead, deadline: Option<Timestamp>, patience: u64) -> Self {
        Self { bulkhead, deadline, patience, waiter: None, since: None }
    }

    /// Returns the result, or `None` while the call has to wait for `waker`.
    fn poll(&mut self, waker: &Waker) -> Option<PermitResult<'b>> {
        let result = match self.waiter {
            None => self.join(waker),
            Some(waiter) => self.take_assigned(waiter, waker),
        };
        match (&result, self.waiter) {
            // Switched off while waiting: the call runs without a permit.
            (None, Some(waiter)) if !switch::watch(waiter, waker) => {
                let permit = self.leave().unwrap_or_else(BulkheadPermit::uncounted);
                self.count_wait(WaitEnd::Admitted);
                Some(Ok(permit))
            }
            // New settings may assign permits, and wake the calls that get them.
            (None, Some(_)) => {
                drop(self.bulkhead.current());
                attempt_scope::report_queue();
                None
            }
            _ => result,
        }
    }

    fn join(&mut self, waker: &Waker) -> Option<PermitResult<'b>> {
        let bulkhead = self.bulkhead;
        if let Some(result) = bulkhead.acquire_now(self.patience) {
            return Some(result);
        }
        let is_patient = attempt_scope::is_patient(self.patience);
        self.deadline = current::bound_of_wait(self.deadline, is_patient);
        self.patience = attempt_scope::patience(self.patience);
        if self.longest_wait().is_some_and(|wait| wait.is_zero()) {
            return Some(Err(bulkhead.rejected()));
        }
        let settings = bulkhead.current();
        let (max, capacity) = (settings.limit(), settings.queue_capacity(self.patience));
        match bulkhead.semaphore.acquire_or_queue(max, capacity, waker.clone()) {
            Acquired::Permit => {
                count_success(bulkhead);
                Some(Ok(BulkheadPermit::of(bulkhead)))
            }
            Acquired::Full => Some(Err(bulkhead.rejected())),
            Acquired::Queued(waiter) => {
                (self.waiter, self.since) = (Some(waiter), Some(now()));
                list_waiting(bulkhead);
                None
            }
        }
    }

    fn take_assigned(&mut self, waiter: WaiterId, waker: &Waker) -> Option<PermitResult<'b>> {
        if !self.bulkhead.semaphore.has_permit(waiter, waker.clone()) {
            return None;
        }
        self.waiter = None;
        switch::unwatch(waiter);
        self.count_wait(WaitEnd::Admitted);
        Some(Ok(BulkheadPermit::of(self.bulkhead)))
    }

    /// Returns the longest wait of this call: the wait of the bulkhead, or the rest of the time of
    /// the whole call.
    fn longest_wait(&self) -> Option<Duration> {
        let rest = self.deadline.map(|deadline| deadline.since(now()));
        match (self.bulkhead.current().longest_wait(self.patience), rest) {
            (Some(wait), Some(rest)) => Some(wait.min(rest)),
            (wait, rest) => wait.or(rest),
        }
    }

    /// Leaves the queue after the longest wait. If a permit has been assigned in the meantime,
    /// takes the permit.
    fn give_up(&mut self) -> PermitResult<'b> {
        let permit = self.leave();
        self.count_wait(if permit.is_some() { WaitEnd::Admitted } else { WaitEnd::Rejected });
        permit.ok_or_else(|| self.bulkhead.rejected_as_full())
    }

    /// Leaves the queue. Returns a permit that has been assigned in the meantime.
    fn leave(&mut self) -> Option<BulkheadPermit<'b>> {
        let waiter = self.waiter.take()?;
        switch::unwatch(waiter);
        let is_assigned = !self.bulkhead.semaphore.leave_queue(waiter);
        is_assigned.then(|| BulkheadPermit::of(self.bulkhead))
    }

    fn count_wait(&mut self, end: WaitEnd) {
        if let Some(since) = self.since.take() {
            count_wait(self.bulkhead, since, end);
        }
    }
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        if self.waiter.is_some() {
            drop(self.leave());
            self.count_wait(WaitEnd::Cancelled);
        }
    }
}

/// Blocks the thread until there is a result.
#[cold]
pub(super) fn block(
    bulkhead: &Bulkhead,
    deadline: Option<Timestamp>,
    patience: u64,
) -> PermitResult<'_> {
    let parker = Parker::new();
    let waker = parker.waker();
    let mut entry = QueueEntry::new(bulkhead, deadline, patience);
    if let Some(answer) = entry.poll(&waker) {
        return answer;
    }
    let until = entry.longest_wait().and_then(|wait| Delay::start(wait).0.end());
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
    pub(super) fn new(bulkhead: &'b Bulkhead, deadline: Option<Timestamp>, patience: u64) -> Self {
        Self { entry: QueueEntry::new(bulkhead, deadline, patience), limit: None }
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
        if this.limit.is_none() {
            let Some(wait) = this.entry.longest_wait() else { return Poll::Pending };
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
        let QueueEntry { bulkhead, waiter, .. } = &self.entry;
        f.debug_struct("BulkheadAcquire")
            .field("bulkhead", bulkhead)
            .field("is_queued", &waiter.is_some())
            .finish()
    }
}
