//! The retry engine: decides after each failed attempt, for attributes and calls by hand.

use core::num::NonZeroU32;
use core::ops::ControlFlow;
use core::time::Duration;

use super::attempt::Attempt;
use super::decision::{Decision, FailedAttempt, Failure, decide_live};
use super::figures;
use super::history::AttemptHistory;
use super::live;
use super::policy::{DEFAULT_NAME, Limits, RetryPolicy};
use crate::attempt_scope::AttemptScope;
use crate::backoff::Backoff;
use crate::budget::Spending;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::{self, Delay, Timestamp};
use crate::context::{current, nesting, retried};
use crate::event::{DelaySource, GiveUpEvent, RecoveryEvent, RetryEvent, StopReason};
use crate::figures::stripes::Counters;
use crate::figures::table::slot;
use crate::log::{self, Shown};
use crate::lost_attempt;
use crate::mode;
use crate::outcome::Outcome;
use crate::registry::SourceLocation;
use crate::rejection_signal::RejectionSignal;
use crate::span;
use crate::switch;

/// The progress of a call. Passed by value. Without a deadline nothing is written before the first
/// failure.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RetryState(Option<Progress>);

#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// The running or last attempt.
    pub(super) attempt: NonZeroU32,
    /// The number of consecutive delays chosen by the policy.
    pub(super) backoffs: u32,
    pub(super) history: AttemptHistory,
    /// The start of `elapsed`; moved back by waits that the clock did not show.
    pub(super) started: Option<Timestamp>,
}

const FIRST: Progress = Progress {
    attempt: NonZeroU32::MIN,
    backoffs: 0,
    history: AttemptHistory::NONE,
    started: None,
};

impl Progress {
    /// Counts the failed attempt. A rejection is no attempt.
    #[inline]
    fn count_attempt(self, counters: Counters<'_>, class: FailureClass) {
        if !class.is_rejection {
            figures::count_attempt(counters, self.attempt.get());
        }
    }

    /// Counts the end of the call by a failure of this class.
    #[inline]
    fn count_stop(self, counters: Counters<'_>, class: FailureClass, reason: StopReason) {
        if class.effect.is_not_applied() && self.history.is_ambiguous() {
            lost_attempt::report();
        }
        figures::count_stop(counters, reason);
    }
}

/// A call after a failed attempt, for the event of the decision.
struct FailedCall<'e, E> {
    name: &'static str,
    attempts: Option<u32>,
    error: Option<&'e E>,
    class: FailureClass,
    elapsed: Duration,
    location: SourceLocation,
}

impl<'e, E> FailedCall<'e, E> {
    #[inline]
    fn retry(self, attempt: u32, delay: Duration, delay_source: DelaySource) -> RetryEvent<'e, E> {
        let Self { name, attempts, error, class, elapsed, location } = self;
        RetryEvent { name, attempt, attempts, error, class, delay, delay_source, elapsed, location }
    }

    /// Returns the event of the end. A rejection is no attempt.
    #[inline]
    fn give_up(self, attempt: u32, reason: StopReason) -> GiveUpEvent<'e, E> {
        let Self { name, attempts, error, class, elapsed, location } = self;
        let attempt = attempt.saturating_sub(u32::from(class.is_rejection));
        GiveUpEvent { name, attempt, attempts, error, class, reason, elapsed, location }
    }
}

/// The context of a call: two words, so that the context travels in registers.
#[derive(Clone, Copy, Debug)]
pub struct CallContext<'p, B> {
    /// The policy, with name and wait mode.
    pub policy: &'p RetryPolicy<B>,
    /// The use of the budget, if the call has a budget.
    pub spending: Option<&'p Spending<'p>>,
}

impl RetryState {
    /// Starts a call without a deadline. Does not read the clock.
    #[inline]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Starts a call with a deadline.
    #[inline]
    pub fn timed() -> Self {
        Self(Some(Progress { started: Some(clock::now()), ..FIRST }))
    }

    /// Starts a call under `policy`.
    #[inline]
    pub fn begin<B>(policy: &RetryPolicy<B>) -> Self {
        if policy.limits.deadline.is_some() { Self::timed() } else { Self::new() }
    }

    /// Returns the delay before the first attempt, if any.
    #[inline]
    #[must_use]
    pub fn initial_delay<B: Backoff>(&mut self, policy: &RetryPolicy<B>) -> Option<Delay> {
        let mut delay = policy.limits.initial_delay?;
        if mode::has_settings() {
            delay = live::overridden_time(policy, "initial_delay", delay);
        }
        self.delay_start(policy, delay)
    }

    /// Blocks the thread for the delay before the first attempt, if any.
    #[inline]
    pub fn initial_delay_blocking<B: Backoff>(&mut self, policy: &RetryPolicy<B>) {
        if let Some(delay) = self.initial_delay(policy) {
            self.block(delay);
        }
    }

    /// A delay that does not fit the deadlines of the call and of its caller is left out: an
    /// attempt at once may succeed, and an attempt after a deadline may not start.
    #[cold]
    fn delay_start<B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        delay: Duration,
    ) -> Option<Delay> {
        let outer = current::deadline().map(|end| end.at);
        let mut ends = [outer, self.bound(policy)].into_iter().flatten();
        let fits = ends.all(|end| delay < end.since(clock::now()));
        if delay.is_zero() || !fits || !switch::is_enabled() {
            return None;
        }
        let (delay, unseen) = Delay::start(delay);
        self.add_unseen(unseen);
        Some(delay)
    }

    /// Moves the start of the call back by a wait that the clock does not show.
    fn add_unseen(&mut self, unseen: Duration) {
        if let Some(Progress { started: Some(started), .. }) = &mut self.0 {
            *started = started.minus(unseen);
        }
    }

    /// Returns the budget use of a call under `policy`.
    #[inline]
    pub fn spending<B>(policy: &RetryPolicy<B>) -> Spending<'static> {
        Spending::new(policy.limits.budget)
    }

    /// Returns the next attempt, for the body.
    #[inline]
    pub fn attempt<B: Backoff>(self, policy: &RetryPolicy<B>) -> Attempt {
        let Progress { attempt, history, started, .. } = self.0.unwrap_or(FIRST);
        let mut attempts = policy.limits.attempts();
        if mode::has_settings() {
            attempts = live::attempts(policy);
        }
        Attempt { number: attempt.get(), attempts, history, started }
    }

    /// Returns the number of the next attempt.
    #[inline]
    #[must_use]
    pub fn attempt_number(self) -> u32 {
        self.0.unwrap_or(FIRST).attempt.get()
    }

    /// Returns the time of the deadline, if any.
    #[inline]
    pub fn bound<B: Backoff>(self, policy: &RetryPolicy<B>) -> Option<Timestamp> {
        let (started, deadline) = (self.0?.started?, policy.limits.deadline?);
        // The time is added on both ways, so that the sum with a constant stays short.
        if mode::has_settings() {
            return Some(started.plus(live::overridden_time(policy, "deadline", deadline)));
        }
        Some(started.plus(deadline))
    }

    /// Returns how long a limit inside may let the call wait in place of a rejection, in
    /// nanoseconds: always a wait with a limit, because a full queue still rejects the call.
    #[inline]
    #[must_use]
    pub fn patience<B: Backoff>(policy: &RetryPolicy<B>) -> u64 {
        let limits = &policy.limits;
        if !limits.waits_for_rejections {
            return 0;
        }
        let mut longest = limits.max_retry_after;
        if mode::has_settings() {
            longest = live::overridden_time(policy, "max_retry_after", longest);
        }
        clock::nanos(longest).min(u64::MAX - 1)
    }

    /// Returns the scope of the attempts, for policies inside that the retry cannot name.
    #[inline]
    pub fn scope<B: Backoff>(self, policy: &RetryPolicy<B>) -> AttemptScope {
        AttemptScope::new(Self::patience(policy), self.bound(policy))
    }

    /// Decides after a failure of this class: a delay before the next attempt, or `None`. For
    /// calls without `on_ok` and hooks. The function is not generic over the types of the call, so
    /// that all calls share one instance, and the caller compiles fast.
    #[cold]
    #[inline(never)]
    pub fn next<B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        spending: Option<&Spending<'_>>,
        class: FailureClass,
        signal: Option<&RejectionSignal>,
        text: Shown<'_>,
    ) -> Option<Delay> {
        if class.kind != FailureKind::Permanent || log::has_reader() {
            return self.next_reported(policy, spending, class, signal, text);
        }
        // The end of the call has no reader but the figures: neither the settings nor the time
        // matter.
        let counters = figures::record(policy, DEFAULT_NAME).counters();
        let progress = self.0.unwrap_or(FIRST);
        progress.count_attempt(counters, class);
        progress.count_stop(counters, class, StopReason::Permanent);
        self.report_history(signal, class, false);
        None
    }

    /// Decides as [`next`](Self::next), with an event. A function of its own, because the stack of
    /// an event would cost a permanent failure half of its time.
    #[cold]
    #[inline(never)]
    fn next_reported<B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        spending: Option<&Spending<'_>>,
        class: FailureClass,
        signal: Option<&RejectionSignal>,
        text: Shown<'_>,
    ) -> Option<Delay> {
        let failed = FailedAttempt::new(class, signal);
        let delay = self.advance(policy, spending, None::<&()>, failed, text, |_| {}, |_| {});
        self.report_history(signal, class, delay.is_some());
        delay
    }

    /// Passes the effect of earlier attempts to the other layers: before the delay, for a timeout
    /// that ends the delay and for the next attempt, or after the last attempt.
    fn report_history(
        self,
        signal: Option<&RejectionSignal>,
        class: FailureClass,
        continues: bool,
    ) {
        let (Some(signal), Some(progress)) = (signal, self.0) else { return };
        if continues {
            signal.start_delay(progress.history.effect(), class.is_rejection);
        } else {
            signal.end_attempts();
        }
    }

    /// Returns whether the call makes a retry, and a success is reported: with the feature
    /// `tracing` or `log`. Otherwise a success costs no test.
    #[inline]
    #[must_use]
    pub const fn reports_success(self) -> bool {
        cfg!(any(feature = "tracing", feature = "log"))
            && matches!(self.0, Some(progress) if progress.attempt.get() > 1)
    }

    /// Reports a success after a retry.
    #[cold]
    #[inline(never)]
    pub fn recovered<B: Backoff>(self, policy: &RetryPolicy<B>) {
        let Some(Progress { attempt, started, .. }) = self.0 else { return };
        let Limits { name, recovery_level, location, .. } = policy.limits;
        let attempts = live::attempts(policy);
        let elapsed = started.map_or(Duration::ZERO, |started| clock::now().since(started));
        let (name, attempt) = (name.unwrap_or(DEFAULT_NAME), attempt.get());
        let location = SourceLocation::of(location);
        log::recovered(
            RecoveryEvent { name, attempt, attempts, elapsed, location },
            recovery_level,
        );
    }

    /// Reports and counts a success.
    #[inline]
    pub fn succeeded<B: Backoff>(self, policy: &RetryPolicy<B>, spending: Option<&Spending<'_>>) {
        if self.reports_success() {
            self.recovered(policy);
        }
        if mode::is_counting() {
            self.count_success(policy);
        }
        if let Some(spending) = spending {
            spending.succeeded();
        }
    }

    /// Decides after `out`: returns the outcome, or drops the outcome and returns the delay before
    /// the next attempt.
    ///
    /// `out` is passed by value and dropped before the wait. The drop releases the resources of
    /// the error, and keeps a future `Send` if the error is not. `signal` carries a rejection by
    /// an inner layer. `text` returns the text of an error. `exhausted` changes a last value that
    /// `on_ok` declines, and keeps an error. `discard` takes an outcome that a further attempt
    /// replaces. `HOOKED` states whether the function has `on_retry` or `on_give_up`: otherwise
    /// neither is called.
    ///
    /// # Errors
    /// Never fails: `Break` carries the outcome.
    #[expect(
        clippy::too_many_arguments,
        reason = "closures are inferred from arguments only, and words travel in registers"
    )]
    #[cold]
    #[inline(never)]
    pub fn step<O, B, C, D, const HOOKED: bool>(
        mut self,
        context: CallContext<'_, B>,
        signal: Option<&RejectionSignal>,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        text: impl FnOnce(&O::Err) -> Shown<'_>,
        on_retry: impl FnOnce(&RetryEvent<'_, O::Err>),
        on_give_up: impl FnOnce(&GiveUpEvent<'_, O::Err>),
        exhausted: impl FnOnce(O) -> O,
        discard: impl FnOnce(O),
    ) -> ControlFlow<O, (Self, Delay)>
    where
        O: Outcome,
        B: Backoff,
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        let hooks = HOOKED.then_some((on_retry, on_give_up));
        let step = self.settle(context, signal, out, on, on_ok, text, hooks, exhausted, discard);
        match step {
            ControlFlow::Break(out) => ControlFlow::Break(out),
            ControlFlow::Continue(delay) => ControlFlow::Continue((self, delay)),
        }
    }

    /// Decides after `out`, and blocks the thread for the delay. A single call, in place: the loop
    /// prepares the parameters of a second call before the first attempt, even without a failure.
    ///
    /// # Errors
    /// Never fails: `Break` carries the outcome.
    #[expect(
        clippy::too_many_arguments,
        reason = "closures are inferred from arguments only, and words travel in registers"
    )]
    #[cold]
    #[inline(never)]
    pub fn step_blocking<O, B, C, D, const HOOKED: bool>(
        &mut self,
        context: CallContext<'_, B>,
        signal: Option<&RejectionSignal>,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        text: impl FnOnce(&O::Err) -> Shown<'_>,
        on_retry: impl FnOnce(&RetryEvent<'_, O::Err>),
        on_give_up: impl FnOnce(&GiveUpEvent<'_, O::Err>),
        exhausted: impl FnOnce(O) -> O,
        discard: impl FnOnce(O),
    ) -> ControlFlow<O>
    where
        O: Outcome,
        B: Backoff,
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        let hooks = HOOKED.then_some((on_retry, on_give_up));
        let step = self.settle(context, signal, out, on, on_ok, text, hooks, exhausted, discard);
        match step {
            ControlFlow::Break(out) => ControlFlow::Break(out),
            ControlFlow::Continue(delay) => {
                self.block(delay);
                if let Some(signal) = signal {
                    signal.clear();
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Decides after `out`, without a wait. `hooks` is `None` where the function has neither hook:
    /// an event then needs no error.
    #[expect(clippy::inline_always, reason = "each public form is the only caller per function")]
    #[expect(
        clippy::too_many_arguments,
        reason = "closures are inferred from arguments only, and words travel in registers"
    )]
    #[inline(always)]
    pub(super) fn settle<O, B, C, D>(
        &mut self,
        CallContext { policy, spending }: CallContext<'_, B>,
        signal: Option<&RejectionSignal>,
        out: O,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        text: impl FnOnce(&O::Err) -> Shown<'_>,
        hooks: Option<(
            impl FnOnce(&RetryEvent<'_, O::Err>),
            impl FnOnce(&GiveUpEvent<'_, O::Err>),
        )>,
        exhausted: impl FnOnce(O) -> O,
        discard: impl FnOnce(O),
    ) -> ControlFlow<O, Delay>
    where
        O: Outcome,
        B: Backoff,
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        let (class, error) = match out.as_result() {
            Ok(value) => match on_ok(value).into() {
                FailureClass { kind: FailureKind::Permanent, .. } => {
                    self.succeeded(policy, spending);
                    return ControlFlow::Break(out);
                }
                class => (class, None),
            },
            Err(error) => {
                let rejected = signal.and_then(RejectionSignal::class);
                (rejected.unwrap_or_else(|| on(error).into()), Some(error))
            }
        };
        let text = error.map_or(Shown::Nothing, text);
        let delay = match hooks {
            None => self.next(policy, spending, class, signal, text),
            Some((on_retry, on_give_up)) => {
                let failed = FailedAttempt::new(class, signal);
                let delay =
                    self.advance(policy, spending, error, failed, text, on_retry, on_give_up);
                self.report_history(signal, class, delay.is_some());
                delay
            }
        };
        match delay {
            Some(delay) => {
                discard(out);
                ControlFlow::Continue(delay)
            }
            None => ControlFlow::Break(exhausted(out)),
        }
    }

    /// Decides, reports the decision, calls the hook, and starts the delay. Returns `None` if there
    /// is no further attempt.
    #[expect(
        clippy::too_many_arguments,
        reason = "closures are inferred from arguments only, and words travel in registers"
    )]
    fn advance<E, B: Backoff>(
        &mut self,
        policy: &RetryPolicy<B>,
        spending: Option<&Spending<'_>>,
        error: Option<&E>,
        failed: FailedAttempt,
        text: Shown<'_>,
        on_retry: impl FnOnce(&RetryEvent<'_, E>),
        on_give_up: impl FnOnce(&GiveUpEvent<'_, E>),
    ) -> Option<Delay> {
        let progress = self.0.unwrap_or(FIRST);
        // Without a deadline, the first failure starts the time. A call that ends with the first
        // failure reads no clock.
        let elapsed = progress.started.map_or(Duration::ZERO, |at| clock::now().since(at));
        let class = failed.class;
        let failure = Failure { attempt: failed, elapsed, spending };
        let record = figures::record(policy, DEFAULT_NAME);
        let counters = record.counters();
        progress.count_attempt(counters, class);
        let (decision, attempts) = decide_live(record, policy, progress, failure);
        let name = policy.limits.name.unwrap_or(DEFAULT_NAME);
        let location = SourceLocation::of(policy.limits.location);
        let failed = FailedCall { name, attempts, error, class, elapsed, location };
        match decision {
            Decision::Retry { next, delay, source } => {
                count_nested(&policy.limits, counters, name, class);
                let started = progress.started.unwrap_or_else(clock::now);
                figures::count_retry(counters, class, source, delay);
                span::record_attempts(next.attempt.get());
                let event = failed.retry(progress.attempt.get(), delay, source);
                if log::has_reader() {
                    log::retry(&event.with_error(None), policy.limits.retry_level, text);
                }
                if current::has_deadline() {
                    retried::record(name, text);
                }
                on_retry(&event);
                let (delay, unseen) = Delay::start(delay);
                let started = Some(started.minus(unseen));
                *self = Self(Some(Progress { started, ..next }));
                Some(delay)
            }
            Decision::GiveUp(reason) => {
                progress.count_stop(counters, class, reason);
                span::record_attempts(progress.attempt.get());
                let event = failed.give_up(progress.attempt.get(), reason);
                if log::has_reader() {
                    log::give_up(&event.with_error(None), policy.limits.give_up_level, text);
                }
                on_give_up(&event);
                None
            }
        }
    }

    /// Blocks the thread for the delay.
    pub(super) fn block(&mut self, delay: Delay) {
        let unseen = delay.block();
        self.add_unseen(unseen);
    }
}

impl Default for RetryState {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts and reports a retry inside an attempt of another retry. A rejection is no attempt.
#[inline]
fn count_nested(limits: &Limits, counters: Counters<'_>, name: &'static str, class: FailureClass) {
    if let Some((outer, _)) = nesting::outer(limits.nested) {
        if !class.is_rejection {
            nesting::report(outer.name, name);
            counters.add(slot::NESTED, 1);
        }
    }
}
