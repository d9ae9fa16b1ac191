//! A call that was let through, and what it turns out to be.

use core::mem;

use super::CircuitBreaker;
use super::machine::CallOutcome;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::Timestamp;
use crate::outcome::Outcome;
use crate::rejection_signal::RejectionSignal;

/// The right to make one call; made by [`CircuitBreaker::try_acquire`].
///
/// Say how the call ended. Dropped without a word it counts as given up, which is neutral unless the
/// breaker was told otherwise; dropped by a panic it counts as a failure. Either way a probe's permit
/// goes back.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once counts as a call that was given up"]
pub struct CircuitGuard<'b> {
    pub(super) breaker: &'b CircuitBreaker,
    /// The breaker's word when the call was let through, with the number of the probe.
    pub(super) seen: u64,
    /// When the call began, where slow calls are looked for.
    pub(super) started: Option<Timestamp>,
}

impl CircuitGuard<'_> {
    /// The call has succeeded.
    #[inline]
    pub fn success(self) {
        if !self.breaker.is_idle() {
            self.breaker.succeed(self.seen, self.started);
        }
        mem::forget(self);
    }

    /// The call has failed.
    pub fn failure(self) {
        self.end(CallOutcome::Failure);
    }

    /// The call says nothing about the other side: neither success nor failure.
    pub fn ignore(self) {
        self.end(CallOutcome::Neutral);
    }

    #[inline]
    fn end(self, outcome: CallOutcome) {
        self.breaker.settle(self.seen, outcome, self.started);
        mem::forget(self);
    }

    /// Records a failed outcome by what `on` makes of it, and hands it back.
    #[doc(hidden)]
    #[inline]
    pub fn record_error<O: Outcome, C: Into<FailureClass>>(
        self,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        signal: Option<&RejectionSignal>,
    ) -> (O,) {
        // Its parts and not the guard: one whose address is taken could not live in registers.
        let (breaker, seen, started) = (self.breaker, self.seen, self.started);
        mem::forget(self);
        settle(breaker, seen, started, out, on, signal)
    }

    /// Records an outcome of which a value may be a failure too, by what `on` and `on_ok` make of it, and
    /// hands it back.
    #[doc(hidden)]
    #[inline]
    pub fn record<O: Outcome, C: Into<FailureClass>, D: Into<FailureClass>>(
        self,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        signal: Option<&RejectionSignal>,
    ) -> (O,) {
        // Asked while the guard is whole: should `on_ok` panic, the call counts as one that did.
        match out.as_result().map(|value| on_ok(value).into()) {
            // It stands: the other side has answered.
            Ok(FailureClass { kind: FailureKind::Permanent, .. }) => self.success(),
            Ok(class) => self.end(outcome(class)),
            Err(_) => return self.record_error(out, on, signal),
        }
        (out,)
    }
}

/// By value and as a tuple: a borrow of the outcome that reached a call would keep the compiler from
/// building it where the caller wants it.
#[cold]
#[inline(never)]
fn settle<O: Outcome, C: Into<FailureClass>>(
    breaker: &CircuitBreaker,
    seen: u64,
    started: Option<Timestamp>,
    out: O,
    on: impl FnOnce(&O::Err) -> C,
    signal: Option<&RejectionSignal>,
) -> (O,) {
    // Should `on` panic, the call counts as one that did.
    let guard = CircuitGuard { breaker, seen, started };
    let outcome = match (out.as_result(), signal.and_then(RejectionSignal::class)) {
        (Ok(_), _) => CallOutcome::Success,
        (Err(_), Some(rejected)) => outcome(rejected),
        (Err(error), None) => outcome(on(error).into()),
    };
    guard.end(outcome);
    (out,)
}

/// A local rejection says nothing about the other side, a permanent failure that it works.
const fn outcome(class: FailureClass) -> CallOutcome {
    if class.is_rejection || matches!(class.kind, FailureKind::Permanent) {
        CallOutcome::Neutral
    } else {
        CallOutcome::Failure
    }
}

/// A guard without the breaker, for a future that owns a handle of the breaker and so cannot borrow
/// from the handle. If dropped, the permit of a trial call stays taken until its lease expires.
#[derive(Debug)]
#[must_use]
pub struct DetachedGuard {
    seen: u64,
    started: Option<Timestamp>,
}

#[doc(hidden)]
impl CircuitGuard<'_> {
    /// Detaches the guard from the breaker.
    pub fn detach(self) -> DetachedGuard {
        let Self { seen, started, .. } = self;
        mem::forget(self);
        DetachedGuard { seen, started }
    }
}

#[doc(hidden)]
impl CircuitBreaker {
    /// Attaches a detached guard to the breaker that admitted the call.
    pub fn attach(&self, DetachedGuard { seen, started }: DetachedGuard) -> CircuitGuard<'_> {
        CircuitGuard { breaker: self, seen, started }
    }
}

impl Drop for CircuitGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.cancel(self.seen, self.started);
    }
}
