//! Waiting for a permit, and holding one.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::Bulkhead;
use super::places::{Entry, Ticket};
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
            bulkhead.places.exit();
        }
    }
}

type Answer<'b> = Result<BulkheadPermit<'b>, Rejected>;

/// One call's way to a permit. Dropped in the queue it leaves the queue, and a permit that it has been
/// handed by then goes to the next.
#[derive(Debug)]
struct Place<'b> {
    bulkhead: &'b Bulkhead,
    ticket: Option<Ticket>,
}

impl<'b> Place<'b> {
    /// The answer, or nothing as long as the call has to wait for `waker` to be woken.
    fn look(&mut self, waker: &Waker) -> Option<Answer<'b>> {
        let bulkhead = self.bulkhead;
        let Some(ticket) = self.ticket else {
            return bulkhead.at_once().or_else(|| {
                match bulkhead.places.enter(bulkhead.max(), bulkhead.places(), waker.clone()) {
                    Entry::Running => Some(Ok(BulkheadPermit::of(bulkhead))),
                    Entry::Full => Some(Err(bulkhead.rejected())),
                    Entry::Waiting(ticket) => {
                        self.ticket = Some(ticket);
                        None
                    }
                }
            });
        };
        if bulkhead.places.is_served(ticket, waker.clone()) {
            self.ticket = None;
            return Some(Ok(BulkheadPermit::of(bulkhead)));
        }
        // Switched off in the meantime: nobody has to wait any more.
        (!is_enabled()).then(|| self.give_up().or_else(|_| Ok(BulkheadPermit::uncounted())))
    }

    /// Leaves the queue; a permit that has been handed over by now is taken all the same.
    fn give_up(&mut self) -> Answer<'b> {
        match self.ticket.take() {
            Some(ticket) if !self.bulkhead.places.leave(ticket) => {
                Ok(BulkheadPermit::of(self.bulkhead))
            }
            _ => Err(self.bulkhead.rejected()),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            drop(self.give_up());
        }
    }
}

/// Blocks the thread until there is an answer.
#[cold]
pub(super) fn block(bulkhead: &Bulkhead) -> Answer<'_> {
    let parker = Parker::new();
    let waker = parker.waker();
    let mut place = Place { bulkhead, ticket: None };
    if let Some(answer) = place.look(&waker) {
        return answer;
    }
    let until = bulkhead.wait.and_then(|wait| Delay::start(wait).0.end());
    loop {
        let in_time = parker.park(until);
        if let Some(answer) = place.look(&waker) {
            return answer;
        }
        if !in_time {
            return place.give_up();
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
        place: Place<'b>,
        #[pin]
        limit: Option<Sleep>,
    }
}

impl<'b> BulkheadAcquire<'b> {
    pub(super) fn new(bulkhead: &'b Bulkhead) -> Self {
        Self { place: Place { bulkhead, ticket: None }, limit: None }
    }
}

impl<'b> Future for BulkheadAcquire<'b> {
    type Output = Answer<'b>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer<'b>> {
        let mut this = self.project();
        // Before the time is looked at: a permit that comes at the last moment is taken.
        if let Some(answer) = this.place.look(cx.waker()) {
            return Poll::Ready(answer);
        }
        let Some(wait) = this.place.bulkhead.wait else { return Poll::Pending };
        if this.limit.is_none() {
            this.limit.set(Some(Delay::start(wait).0.wait()));
        }
        match this.limit.as_mut().as_pin_mut().map(|limit| limit.poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            _ => Poll::Ready(this.place.give_up()),
        }
    }
}

impl fmt::Debug for BulkheadAcquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { bulkhead, ticket } = &self.place;
        f.debug_struct("BulkheadAcquire")
            .field("bulkhead", bulkhead)
            .field("is_queued", &ticket.is_some())
            .finish()
    }
}
