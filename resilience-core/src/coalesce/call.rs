//! A coalesced call: async, or blocking.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use pin_project_lite::pin_project;

use super::facts::Shared;
use super::flight::{Member, SharedOutcome, Turn};
use super::{Coalescer, ShareableOutcome};
use crate::clock::{Delay, LimitTimer, now};
use crate::context::{self, current::bound_of_wait};
use crate::key_hash::KeyHash;
use crate::outcome::Outcome;
use crate::park::Parker;
use crate::registry::policy::count_success;
use crate::rejected::Rejected;
use crate::rejection_signal::RejectionSignal;

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
        signal: Option<&'c RejectionSignal>,
        outcomes: &'c Outcomes<F::Output>,
    }
}

type Signal<'s> = Option<&'s RejectionSignal>;

/// The functions of a type of outcome.
struct Outcomes<O> {
    executed: fn(&Coalescer, &mut Member<'_>, Signal<'_>, O) -> O,
    shared: fn(&Coalescer, Signal<'_>, SharedOutcome) -> Result<O, Rejected>,
}

/// Creates a call that shares the execution with concurrent calls of an equal key. `signal` reports
/// the rejections of the layers inside to the layers outside.
// The future holds the functions of the outcome and has no bound: an outcome that cannot be shared
// is one compile error, at the first parameter.
pub fn coalesce<'c, O: ShareableOutcome + Outcome, F: Future<Output = O>>(
    coalescer: &'c Coalescer,
    key: KeyHash,
    signal: Option<&'c RejectionSignal>,
    body: F,
) -> Coalesced<'c, F> {
    let member = coalescer.member::<O>(key);
    let outcomes = const { &Outcomes { executed: executed::<O>, shared: shared::<O> } };
    Coalesced { body, member, wait_end: None, coalescer, signal, outcomes }
}

impl<F: Future> Future for Coalesced<'_, F> {
    type Output = Result<F::Output, Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Outcomes { executed, shared } = *this.outcomes;
        match this.member.turn(Some(cx.waker())) {
            Some(Turn::Run) => {
                let running = this.member.running();
                let polled = this.body.poll(cx);
                running.end();
                let out = ready!(polled);
                Poll::Ready(Ok(executed(this.coalescer, this.member, *this.signal, out)))
            }
            None => {
                let rejected = ready!(poll_overdue(this.coalescer, this.wait_end, cx));
                this.member.leave();
                Poll::Ready(Err(rejected))
            }
            Some(Turn::Return(outcome)) => {
                Poll::Ready(shared(this.coalescer, *this.signal, outcome))
            }
            Some(Turn::Reject) => Poll::Ready(Err(this.coalescer.rejection())),
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
    signal: Option<&RejectionSignal>,
    body: impl FnOnce() -> O,
) -> Result<O, Rejected> {
    let mut member = coalescer.member::<O>(key);
    let turn = match member.turn(None) {
        Some(turn) => turn,
        None => wait_for_turn(coalescer, &mut member)?,
    };
    match turn {
        Turn::Return(outcome) => shared(coalescer, signal, outcome),
        Turn::Reject => Err(coalescer.rejection()),
        Turn::Run => {
            let running = member.running();
            let out = body();
            running.end();
            Ok(executed(coalescer, &mut member, signal, out))
        }
    }
}

/// Blocks the thread until the call need not wait, or until the deadline of the context.
fn wait_for_turn(coalescer: &Coalescer, member: &mut Member<'_>) -> Result<Turn, Rejected> {
    let parker = Parker::new();
    let waker = parker.waker();
    loop {
        if let Some(turn) = member.turn(Some(&waker)) {
            return Ok(turn);
        }
        if !parker.park(end_of_wait()) {
            if let Some(rejected) = coalescer.overdue() {
                member.leave();
                return Err(rejected);
            }
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
    signal: Signal<'_>,
    out: O,
) -> O {
    count_success(coalescer);
    if !out.is_ok() && context::is_overdue() {
        member.leave();
        return out;
    }
    member.complete(out, signal)
}

/// Returns the outcome of another call. The last call takes the outcome, and the others clone.
fn shared<O: ShareableOutcome>(
    coalescer: &Coalescer,
    signal: Signal<'_>,
    outcome: SharedOutcome,
) -> Result<O, Rejected> {
    // The type of the outcome is a part of the key.
    let shared = outcome.downcast::<Shared<O>>().map_err(|_| coalescer.rejection())?;
    coalescer.count_shared();
    shared.report(signal);
    match Arc::try_unwrap(shared) {
        Ok(last) => Ok(last.outcome),
        Err(shared) => Ok(shared.outcome.clone()),
    }
}
