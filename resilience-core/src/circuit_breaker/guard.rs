//! The guard of an admitted call, and the recording of its outcome.

use core::{fmt, mem};

use super::call::{CallOutcome, FailedCall};
use super::definition::{Defined, Definition};
use super::snapshot::ChangeReason;
use super::{CircuitBreaker, Trial};
use crate::classify::{Effect, FailureClass, FailureKind};
use crate::clock::Timestamp;
use crate::outcome::Outcome;
use crate::rejection_signal::RejectionSignal;

/// The permission for one call; made by [`CircuitBreaker::try_acquire`].
///
/// Report the outcome with [`success`](Self::success), [`failure`](Self::failure),
/// [`report`](Self::report) or [`ignore`](Self::ignore). A guard dropped without a report counts by
/// [`on_cancel`](CircuitBreaker::on_cancel); a guard dropped by a panic counts as a failure. In
/// all cases a trial call returns its permit.
#[derive(Debug)]
#[must_use = "a guard dropped at once counts as a cancelled call"]
pub struct CircuitGuard<'b, D: Defined = Definition> {
    pub(super) breaker: &'b CircuitBreaker<D>,
    /// The breaker's word at admission, with the number of the trial call.
    pub(super) seen: u64,
    /// The start of the call, if the breaker counts slow calls.
    pub(super) started: Option<Timestamp>,
}

impl<D: Defined> CircuitGuard<'_, D> {
    /// Records a success.
    #[inline]
    pub fn success(self) {
        self.breaker.success(self.seen, self.started);
        mem::forget(self);
    }

    /// Records a failure.
    pub fn failure(self) {
        self.end(CallOutcome::Failure(FailedCall::of(FailureKind::Transient)));
    }

    /// Records a failed call by its class, as the attribute does. If the failure opens the breaker,
    /// the text of `error` becomes the source of the rejections.
    ///
    /// ```
    /// use core::error::Error;
    /// use resilience::{CircuitBreaker, FailureClass};
    ///
    /// let breaker = CircuitBreaker::new().failure_threshold(1);
    /// breaker.try_acquire()?.report(FailureClass::transient(), &"connection refused");
    /// let rejected = breaker.try_acquire().unwrap_err();
    /// assert_eq!(rejected.source().unwrap().to_string(), "connection refused");
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    pub fn report(self, class: impl Into<FailureClass>, error: &dyn fmt::Display) {
        self.end_with(outcome(class.into()), &|| Some(error.to_string()), None);
    }

    /// Records neither success nor failure: the call says nothing about the dependency.
    pub fn ignore(self) {
        self.end(CallOutcome::Neutral);
    }

    #[inline]
    fn end(self, outcome: CallOutcome) {
        self.end_with(outcome, &|| None, None);
    }

    #[inline(never)]
    fn end_with(
        self,
        outcome: CallOutcome,
        text: &dyn Fn() -> Option<String>,
        signal: Option<&RejectionSignal>,
    ) {
        let (breaker, seen, started) = (self.breaker.view(), self.seen, self.started);
        mem::forget(self);
        breaker.count_outcome(outcome);
        breaker.settle(seen, outcome, started, text);
        breaker.report_open(signal);
    }

    /// Records a failed outcome by the class from `on`, and returns the outcome. `text` returns the
    /// text of an error.
    #[doc(hidden)]
    #[inline]
    pub fn record_error<O: Outcome, C: Into<FailureClass>>(
        self,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        text: impl Fn(&O::Err) -> Option<String>,
        signal: Option<&RejectionSignal>,
    ) -> (O,) {
        // The fields instead of the guard: a guard with an address could not live in registers.
        let (breaker, seen, started) = (self.breaker, self.seen, self.started);
        mem::forget(self);
        settle(breaker, seen, started, out, on, text, signal)
    }

    /// Records an outcome by the classes from `on` and `on_ok`, and returns the outcome.
    #[doc(hidden)]
    #[inline]
    pub fn record<O: Outcome, C: Into<FailureClass>, V: Into<FailureClass>>(
        self,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> V,
        text: impl Fn(&O::Err) -> Option<String>,
        signal: Option<&RejectionSignal>,
    ) -> (O,) {
        // The guard is still whole here: if `on_ok` panics, the call counts as a panic.
        match out.as_result().map(|value| outcome(on_ok(value).into())) {
            Ok(CallOutcome::Success) => self.success(),
            Ok(outcome) => {
                let text = || Some("a value that `on_ok` calls a failure".to_owned());
                self.end_with(outcome, &text, signal);
            }
            Err(_) => return self.record_error(out, on, text, signal),
        }
        (out,)
    }
}

/// Takes and returns the outcome by value, in a tuple. Otherwise a borrow of the outcome would
/// reach this call, and the compiler could not build the outcome in place for the caller.
#[cold]
#[inline(never)]
fn settle<D: Defined, O: Outcome, C: Into<FailureClass>>(
    breaker: &CircuitBreaker<D>,
    seen: u64,
    started: Option<Timestamp>,
    out: O,
    on: impl FnOnce(&O::Err) -> C,
    text: impl Fn(&O::Err) -> Option<String>,
    signal: Option<&RejectionSignal>,
) -> (O,) {
    // If `on` panics, the call counts as a panic.
    let guard = CircuitGuard { breaker, seen, started };
    match (out.as_result(), signal.and_then(RejectionSignal::class)) {
        (Ok(_), _) => guard.end(CallOutcome::Success),
        (Err(error), rejected) => {
            let class = rejected.unwrap_or_else(|| on(error).into());
            guard.end_with(outcome(class), &|| text(error), signal);
        }
    }
    (out,)
}

/// A local rejection and a call that was not sent say nothing about the dependency. Any other
/// permanent failure is an answer: the dependency works.
const fn outcome(class: FailureClass) -> CallOutcome {
    match class {
        FailureClass { is_rejection: true, .. }
        | FailureClass { is_neutral: true, .. }
        | FailureClass { kind: FailureKind::Permanent, effect: Effect::NotSent, .. } => {
            CallOutcome::Neutral
        }
        FailureClass { kind: FailureKind::Permanent, .. } => CallOutcome::Success,
        FailureClass { kind, after, .. } => {
            CallOutcome::Failure(FailedCall { reason: ChangeReason::Failure(kind), after })
        }
    }
}

/// A guard without the breaker, for a future that owns a handle of the breaker and so cannot
/// borrow from the handle. If dropped, a trial call keeps its permit until the lease expires.
#[derive(Debug)]
#[must_use]
pub struct DetachedGuard {
    seen: u64,
    started: Option<Timestamp>,
}

#[doc(hidden)]
impl<D: Defined> CircuitGuard<'_, D> {
    /// Detaches the guard from the breaker.
    pub fn detach(self) -> DetachedGuard {
        let Self { seen, started, .. } = self;
        mem::forget(self);
        DetachedGuard { seen, started }
    }
}

#[doc(hidden)]
impl DetachedGuard {
    /// Executes a part of the body on this thread.
    #[inline]
    pub fn within<D: Defined, T>(&self, breaker: &CircuitBreaker<D>, run: impl FnOnce() -> T) -> T {
        Trial::of(&breaker.state, self.seen).scope(run)
    }
}

#[doc(hidden)]
impl<D: Defined> CircuitBreaker<D> {
    /// Attaches a detached guard to the breaker that admitted the call.
    pub fn attach(&self, DetachedGuard { seen, started }: DetachedGuard) -> CircuitGuard<'_, D> {
        CircuitGuard { breaker: self, seen, started }
    }
}

impl<D: Defined> CircuitBreaker<D> {
    #[cold]
    #[inline(never)]
    fn abandon(&self, seen: u64, started: Option<Timestamp>) {
        self.cancel(seen, started, std::thread::panicking());
    }
}

impl<D: Defined> Drop for CircuitGuard<'_, D> {
    #[inline]
    fn drop(&mut self) {
        self.breaker.abandon(self.seen, self.started);
    }
}
