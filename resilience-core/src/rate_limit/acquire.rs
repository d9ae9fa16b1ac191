//! Waiting for a turn.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::admission::Admission;
use super::pace::Queued;
use super::{Defined, Definition, RateLimiter};
use crate::attempt_scope;
use crate::clock::{Delay, Sleep, Timestamp, now};
use crate::park::Parker;
use crate::registry::policy::{WaitEnd, count_wait, list_waiting};
use crate::rejected::Rejected;
use crate::switch;
use crate::waiters::WaiterId;

/// A call that takes a turn. On drop a waiting call leaves, and the calls behind move up.
#[derive(Debug)]
struct Turn<'l, D: Defined> {
    limiter: &'l RateLimiter<D>,
    cost: u32,
    /// The end of the whole call.
    deadline: Option<Timestamp>,
    /// The longest wait, if longer than the wait of the limiter, in nanoseconds.
    patience: u64,
    waiter: Option<WaiterId>,
    /// The start of the wait.
    since: Option<Timestamp>,
}

/// The state of a call that takes a turn.
enum Progress {
    Done(Result<(), Rejected>),
    /// The call waits until this time, or until a wake-up.
    Until(u64),
}

impl<'l, D: Defined> Turn<'l, D> {
    fn new(
        limiter: &'l RateLimiter<D>,
        cost: u32,
        deadline: Option<Timestamp>,
        patience: u64,
    ) -> Self {
        Self { limiter, cost, deadline, patience, waiter: None, since: None }
    }

    fn poll(&mut self, waker: &Waker) -> Progress {
        let (id, until) = match self.waiter {
            None => match self.limiter.admit(self.cost, self.deadline, self.patience, waker) {
                Ok(Admission::Now) => return Progress::Done(Ok(())),
                Ok(Admission::Queued(Queued { id, turn })) => {
                    (self.waiter, self.since) = (Some(id), Some(now()));
                    list_waiting(self.limiter);
                    (id, turn)
                }
                Err(rejected) => return Progress::Done(Err(rejected)),
            },
            Some(id) => match self.limiter.poll_turn(id, waker) {
                None => {
                    self.waiter = None;
                    switch::unwatch(id);
                    self.count_wait(WaitEnd::Admitted);
                    return Progress::Done(Ok(()));
                }
                Some(until) => (id, until),
            },
        };
        if switch::watch(id, waker) && self.limiter.makes_calls_wait() {
            attempt_scope::report_queue();
            return Progress::Until(until);
        }
        // Switched off while waiting: the call runs, and does not count.
        self.leave(WaitEnd::Admitted);
        Progress::Done(Ok(()))
    }

    /// Uses the turn before its time: the wait is over, but the clock shows no progress, as under
    /// a paused clock.
    fn start_early(&mut self) {
        if let Some(id) = self.waiter.take() {
            switch::unwatch(id);
            self.limiter.start_early(id);
            self.count_wait(WaitEnd::Admitted);
        }
    }

    fn leave(&mut self, end: WaitEnd) {
        if let Some(id) = self.waiter.take() {
            switch::unwatch(id);
            self.limiter.leave(id);
            self.count_wait(end);
        }
    }

    fn count_wait(&mut self, end: WaitEnd) {
        if let Some(since) = self.since.take() {
            count_wait(self.limiter, since, end);
        }
    }
}

impl<D: Defined> Drop for Turn<'_, D> {
    fn drop(&mut self) {
        self.leave(WaitEnd::Cancelled);
    }
}

fn remaining(until: u64) -> Duration {
    Duration::from_nanos(until.saturating_sub(now().word()))
}

/// Blocks the thread until the turn.
#[cold]
pub(super) fn block<D: Defined>(
    limiter: &RateLimiter<D>,
    cost: u32,
    deadline: Option<Timestamp>,
    patience: u64,
) -> Result<(), Rejected> {
    let parker = Parker::new();
    let waker = parker.waker();
    let mut turn = Turn::new(limiter, cost, deadline, patience);
    loop {
        let until = match turn.poll(&waker) {
            Progress::Done(result) => return result,
            Progress::Until(until) => until,
        };
        let end = Delay::start(remaining(until)).0.end();
        if !parker.park(end) && now().word() < until {
            turn.start_early();
            return Ok(());
        }
    }
}

pin_project! {
    /// A future that waits for a permit. See [`RateLimiter::acquire`].
    ///
    /// The first poll joins the waiting calls. On drop a waiting call leaves, and the calls behind
    /// move up.
    #[must_use = "futures do nothing unless awaited"]
    pub struct RateLimitAcquire<'l, D = Definition>
    where
        D: Defined,
    {
        turn: Turn<'l, D>,
        // The end of `sleep`.
        until: u64,
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<'l, D: Defined> RateLimitAcquire<'l, D> {
    pub(super) fn new(
        limiter: &'l RateLimiter<D>,
        cost: u32,
        deadline: Option<Timestamp>,
        patience: u64,
    ) -> Self {
        Self { turn: Turn::new(limiter, cost, deadline, patience), until: 0, sleep: None }
    }
}

impl<D: Defined> Future for RateLimitAcquire<'_, D> {
    type Output = Result<(), Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        let mut this = self.project();
        loop {
            let until = match this.turn.poll(cx.waker()) {
                Progress::Done(result) => return Poll::Ready(result),
                Progress::Until(until) => until,
            };
            if this.sleep.is_none() || until != *this.until {
                *this.until = until;
                this.sleep.set(Some(Delay::start(remaining(until)).0.wait()));
            }
            if let Some(Poll::Pending) =
                this.sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx))
            {
                return Poll::Pending;
            }
            this.sleep.set(None);
            if now().word() < until {
                this.turn.start_early();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<D: Defined> fmt::Debug for RateLimitAcquire<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitAcquire")
            .field("limiter", self.turn.limiter)
            .field("is_waiting", &self.turn.waiter.is_some())
            .finish()
    }
}
