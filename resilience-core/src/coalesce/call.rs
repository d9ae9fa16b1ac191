//! A coalesced call: async, or blocking.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use pin_project_lite::pin_project;

use super::flight::{Member, SharedOutcome, Turn};
use super::{Coalescer, ShareableOutcome};
use crate::clock::{Delay, LimitTimer, now};
use crate::context::{self, current::bound_of_wait};
use crate::key_hash::KeyHash;
use crate::outcome::Outcome;
use crate::park::Parker;
use crate::registry::policy::count_success;
use crate::rejected::Rejected;

pin_project! {
    /// A call that runs `body`, or waits for the outcome of a running call.
    // The body is dropped before the call leaves: the next leader finds the resources free.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Coalesced<'c, F: Future> {
        #[pin]
        body: F,
        member: Member<'c>,
        // In a box, because most calls have no deadline or do not wait.
        wait_end: Option<Pin<Box<LimitTimer>>>,
        coalescer: &'c Coalescer,
        executed: fn(&Coalescer, &mut Member<'_>, F::Output) -> F::Output,
        shared: fn(&Coalescer, SharedOutcome) -> Result<F::Output, Rejected>,
    }
}

/// Creates a call that shares the execution with concurrent calls of an equal key.
// The future holds the functions of the outcome and has no bound: an outcome that cannot be shared
// is one compile error, at the first parameter.
pub fn coalesce<O: ShareableOutcome + Outcome, F: Future<Output = O>>(
    coalescer: &Coalescer,
    key: KeyHash,
    body: F,
) -> Coalesced<'_, F> {
    let member = coalescer.member::<O>(key);
    Coalesced { body, member, wait_end: None, coalescer, executed, shared }
}

impl<F: Future> Future for Coalesced<'_, F> {
    type Output = Result<F::Output, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.member.turn(Some(cx.waker())) {
            Turn::Run => {
                let running = this.member.running();
                let polled = this.body.poll(cx);
                running.end();
                let out = ready!(polled);
                Poll::Ready(Ok((this.executed)(this.coalescer, this.member, out)))
            }
            Turn::Wait => {
                let rejected = ready!(poll_overdue(this.coalescer, this.wait_end, cx));
                this.member.leave();
                Poll::Ready(Err(rejected))
            }
            Turn::Return(outcome) => Poll::Ready((this.shared)(this.coalescer, outcome)),
            Turn::Reject => Poll::Ready(Err(this.coalescer.rejection())),
        }
    }
}

impl<F: Future> core::fmt::Debug for Coalesced<'_, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Coalesced").field("coalescer", self.coalescer).finish_non_exhaustive()
    }
}

/// Waits until the deadline of the context, and returns the rejection. Pending for ever without a
/// deadline.
fn poll_overdue(
    coalescer: &Coalescer,
    timer: &mut Option<Pin<Box<LimitTimer>>>,
    cx: &mut Context<'_>,
) -> Poll<Rejected> {
    loop {
        if timer.is_none() {
            let Some(end) = bound_of_wait(None, false) else { return Poll::Pending };
            *timer = Some(Box::pin(LimitTimer::start(Duration::MAX, Some(end))));
        }
        if let Some(timer) = timer {
            ready!(timer.as_mut().poll(cx));
        }
        *timer = None;
        // The policies were switched off, or a caller moved the future to a later deadline.
        if let Some(rejected) = coalescer.overdue() {
            return Poll::Ready(rejected);
        }
    }
}

/// Runs `body`, or blocks the thread until a running call with an equal key ends, or until the
/// deadline of the context.
///
/// # Errors
/// - [`RejectedKind::Panicked`](crate::RejectedKind::Panicked) if the running call panicked.
/// - [`RejectedKind::DeadlineExceeded`](crate::RejectedKind::DeadlineExceeded) if the deadline ends
///   the wait.
pub fn coalesce_blocking<O: ShareableOutcome + Outcome>(
    coalescer: &Coalescer,
    key: KeyHash,
    body: impl FnOnce() -> O,
) -> Result<O, Rejected> {
    let mut member = coalescer.member::<O>(key);
    let mut turn = member.turn(None);
    if let Turn::Wait = turn {
        let parker = Parker::new();
        let waker = parker.waker();
        turn = member.turn(Some(&waker));
        while let Turn::Wait = turn {
            if !parker.park(end_of_wait()) {
                if let Some(rejected) = coalescer.overdue() {
                    member.leave();
                    return Err(rejected);
                }
            }
            turn = member.turn(Some(&waker));
        }
    }
    match turn {
        Turn::Return(outcome) => shared(coalescer, outcome),
        Turn::Reject => Err(coalescer.rejection()),
        Turn::Run | Turn::Wait => {
            let running = member.running();
            let out = body();
            running.end();
            Ok(executed(coalescer, &mut member, out))
        }
    }
}

/// Returns the end of a blocking wait: the deadline of the context.
fn end_of_wait() -> Option<Instant> {
    let end = bound_of_wait(None, false)?;
    Delay::start(end.since(now())).0.end()
}

/// Ends the execution of this call. A failure after the deadline of this call is no failure of the
/// waiting calls, whose deadlines may be later: the next call runs its body.
fn executed<O: ShareableOutcome + Outcome>(
    coalescer: &Coalescer,
    member: &mut Member<'_>,
    out: O,
) -> O {
    count_success(coalescer);
    if !out.is_ok() && context::is_overdue() {
        member.leave();
        return out;
    }
    member.complete(out)
}

/// Returns the outcome of another call. The last call takes the outcome, and the others clone.
fn shared<O: ShareableOutcome>(
    coalescer: &Coalescer,
    outcome: SharedOutcome,
) -> Result<O, Rejected> {
    // The type of the outcome is a part of the key.
    let outcome = outcome.downcast::<O>().map_err(|_| coalescer.rejection())?;
    coalescer.count_shared();
    Ok(Arc::unwrap_or_clone(outcome))
}
