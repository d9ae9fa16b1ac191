//! The state machine of a breaker, without concurrency.

mod restore;

use core::time::Duration;
use std::sync::Arc;

use super::call::{AdmittedCall, CallEnd, CallOutcome, FailedCall};
use super::circuit_state::CircuitState;
use super::cursor::Cursor;
use super::events::Events;
use super::on_demand::{Initial, OnDemand};
use super::recovery::Recovery;
use super::running::RunningCalls;
use super::settings::Settings;
use super::slots::{Place, Slots};
use super::snapshot::ChangeReason;
use super::sync::CircuitDecision;
use super::trial_calls::TrialCalls;
use super::window::{Counts, Record, Span, Window};
use crate::classify::FailureKind;
use crate::clock::Timestamp;
use crate::keyed::Membership;

/// The origin of the current state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Failed calls or successful trial calls of this process.
    LocalCalls,
    /// A decision of another process.
    Remote,
    /// Manual control, or time.
    Other,
}

/// The decision of trial calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Close,
    Open,
}

/// The state under the lock. The [`Cursor`] is separate, because the fast paths share the cursor
/// without the lock.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) state: CircuitState,
    pub(super) origin: Origin,
    /// The reason for the current state.
    pub(super) reason: ChangeReason,
    /// The last failure in the window.
    last_failure: ChangeReason,
    /// Whether the warning about a rate with too few calls has been given.
    warned_of_low_traffic: bool,
    /// The number of state changes. Outcomes of calls from an earlier generation are ignored.
    pub(super) generation: u32,
    /// Failures in a row.
    pub(super) consecutive_failures: u32,
    /// While open: the time of the first trial call.
    pub(super) until: Option<Timestamp>,
    /// The time of the last failure, trial call, half-open state or restored snapshot.
    touched: Option<Timestamp>,
    window: OnDemand<Window>,
    pub(super) extra: OnDemand<Extra>,
}

/// The state that a closed breaker without `slow_call` needs only after it was open.
#[derive(Debug)]
pub(super) struct Extra {
    /// The running calls of a closed breaker that counts slow calls.
    running: RunningCalls,
    /// How often the breaker has opened again since the last stable time.
    pub(super) reopened: u32,
    /// After closing: a breaker that opens before this time was not stable.
    stable_from: Option<Timestamp>,
    /// After closing: the time of the growing share.
    pub(super) recovery: Option<Recovery>,
    trials: TrialCalls,
    /// The breaker among the breakers of its table of keys, with `max_open`.
    pub(super) membership: Option<Membership>,
    /// How often `max_open` has kept the breaker closed.
    pub(super) held_openings: u64,
    /// The number of rejected calls at the last change of state.
    pub(super) rejected_before: u64,
    pub(super) events: Events,
}

impl Initial for Extra {
    const NEW: Self = Self {
        running: RunningCalls::new(),
        reopened: 0,
        stable_from: None,
        recovery: None,
        trials: TrialCalls::new(),
        membership: None,
        held_openings: 0,
        rejected_before: 0,
        events: Events::new(),
    };
    const SHARED: &'static Self = &Self::NEW;
}

impl Machine {
    pub(super) const fn new() -> Self {
        Self {
            state: CircuitState::Closed,
            origin: Origin::Other,
            reason: ChangeReason::Manual,
            last_failure: ChangeReason::Failure(FailureKind::Transient),
            warned_of_low_traffic: false,
            generation: 0,
            consecutive_failures: 0,
            until: None,
            touched: None,
            window: OnDemand::new(),
            extra: OnDemand::new(),
        }
    }

    /// Returns the state at this time: a forced state whose time is over is closed.
    pub(super) fn state_at(&self, now: Timestamp) -> CircuitState {
        let is_forced = matches!(self.state, CircuitState::ForcedOpen | CircuitState::Disabled);
        let is_over = is_forced && self.until.is_some_and(|until| until <= now);
        if is_over { CircuitState::Closed } else { self.state }
    }

    /// Closes the breaker if the time of a forced state is over. At the start of each decision by
    /// the state, because no timer runs.
    fn leave_forced_state(&mut self, now: Timestamp) {
        if self.state_at(now) != self.state {
            self.enter_cleared(CircuitState::Closed, ChangeReason::Manual);
        }
    }

    /// Keeps the running calls in these slots.
    pub(super) fn use_slots(&mut self, slots: &Arc<Slots>) {
        self.extra.change().running.use_slots(slots);
    }

    /// Makes the next call of a closed breaker search for calls beyond the limit.
    pub(super) fn expect_search(&self) {
        self.extra.running.expect_search();
    }

    /// Admits a call, or returns the time until a call may be admitted, if known. `is_inside`
    /// returns whether the call comes from the body of a trial call of this generation.
    pub(super) fn admit(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
        is_inside: impl FnOnce(u32) -> bool,
    ) -> Result<AdmittedCall, Option<Duration>> {
        self.leave_forced_state(now);
        match self.state {
            CircuitState::Closed => return self.admit_closed(settings, cursor, now),
            CircuitState::Disabled => return Ok(self.regular_call()),
            CircuitState::ForcedOpen => return Err(self.until.map(|until| until.since(now))),
            CircuitState::Open => {
                if let Some(until) = self.until.filter(|until| now < *until) {
                    return Err(Some(until.since(now)));
                }
                self.half_open(ChangeReason::OpenTimeOver, now);
            }
            CircuitState::HalfOpen => {
                // The trial calls may have ended under other settings, or in a snapshot.
                match self.verdict(settings) {
                    Some(Verdict::Close) => {
                        self.close_after_trials(settings, now);
                        return self.admit_closed(settings, cursor, now);
                    }
                    Some(Verdict::Open) => {
                        self.reopen(settings, now, FailedCall::MANUAL);
                        return Err(self.until.map(|until| until.since(now)));
                    }
                    None => self.extra.change().trials.expire(now),
                }
            }
        }
        if self.extra.trials.admitted() >= settings.trial_calls() {
            if is_inside(self.generation) {
                // A part of a trial call, whose outcome decides.
                return Ok(self.regular_call());
            }
            return Err(self.extra.trials.next_expiry(now));
        }
        let extra = self.extra.change();
        let expires = now.plus(settings.lease(extra.reopened));
        let trial = extra.trials.start(expires);
        self.touched = Some(now);
        self.count_as_open(settings, expires);
        Ok(AdmittedCall { trial, ..self.regular_call() })
    }

    fn admit_closed(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
    ) -> Result<AdmittedCall, Option<Duration>> {
        if let Some(limit) = settings.slow_call {
            let hangs = self.extra.change().running.overdue(self.generation, now, limit) > 0;
            let counts = hangs.then(|| self.counts_with_running(settings, cursor, now));
            if counts.is_some_and(|counts| self.should_open(settings, counts))
                && self.may_open(settings, now)
            {
                self.open(settings, now, FailedCall::SLOW);
                return Err(self.until.map(|until| until.since(now)));
            }
        }
        if let Some(extra) = self.extra.changed() {
            if let Some(recovery) = &mut extra.recovery {
                match recovery.remaining(now) {
                    None => extra.recovery = None,
                    Some(_) if recovery.admits(now) => {}
                    rest => return Err(rest),
                }
            }
        }
        let mut call = self.regular_call();
        if let Some(limit) = settings.slow_call {
            call.place = self.extra.change().running.start(self.generation, now, limit);
        }
        Ok(call)
    }

    const fn regular_call(&self) -> AdmittedCall {
        AdmittedCall { generation: self.generation, trial: 0, place: Place::NONE }
    }

    /// Records the end of a call.
    pub(super) fn settle(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        CallEnd { call, outcome, started }: CallEnd,
        now: impl Fn() -> Timestamp,
    ) {
        if call.generation != self.generation {
            return;
        }
        self.stop(call, started);
        let took = started.map(|started| now().since(started));
        let slow = settings.slow_call.zip(took).is_some_and(|(limit, took)| took > limit);
        match self.state {
            CircuitState::Closed => self.record_call(settings, cursor, outcome, slow, now),
            CircuitState::HalfOpen => self.record_trial(settings, call, outcome, slow, now),
            CircuitState::Open | CircuitState::ForcedOpen | CircuitState::Disabled => {}
        }
    }

    /// Ends a call before its outcome counts, if at all: the call is no running call any more, and
    /// a trial call returns its permit.
    pub(super) fn stop(&mut self, call: AdmittedCall, started: Option<Timestamp>) {
        if call.generation != self.generation {
            return;
        }
        match (self.state, started) {
            (CircuitState::Closed, Some(started)) => {
                self.extra.change().running.end(self.generation, call.place, started);
            }
            (CircuitState::HalfOpen, _) if call.trial > 0 => {
                self.extra.change().trials.end(call.trial);
            }
            _ => {}
        }
    }

    fn record_call(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        outcome: CallOutcome,
        slow: bool,
        now: impl Fn() -> Timestamp,
    ) {
        let failure = match outcome {
            CallOutcome::Neutral => return,
            CallOutcome::Success => None,
            CallOutcome::Failure(failure) => Some(failure),
        };
        let failed = failure.is_some();
        self.last_failure = failure.map_or(self.last_failure, |failure| failure.reason);
        self.consecutive_failures =
            if failed { self.consecutive_failures.saturating_add(1) } else { 0 };
        if failed || slow {
            let now = now();
            self.touched = Some(now);
            if let Some(membership) = &self.extra.membership {
                membership.note_failure(now);
            }
        }
        let record = Record { failed, slow };
        if settings.span != Span::None {
            let window = self.window.change();
            window.record(settings.span, settings.min_calls, cursor, &now, record);
        }
        let counts = self.window.last_counts(settings.span, cursor);
        let all_counts = self.extra.running.add_to(counts);
        if self.should_open(settings, all_counts) {
            if self.may_open(settings, now()) {
                let cause = failure.unwrap_or_else(|| self.cause_beside_success(slow));
                self.open(settings, now(), cause);
            }
        } else if failed {
            self.warn_of_low_traffic(settings, counts, now);
        }
    }

    /// Returns whether the breaker has to open. Evaluated after successes too: a success may
    /// complete the minimum number of calls for a rate.
    fn should_open(&self, settings: &Settings, Counts { calls, failures, slow }: Counts) -> bool {
        let Settings { failure_threshold, failure_rate, slow_rate, min_calls, span, .. } =
            *settings;
        if settings.counts_run()
            && failure_threshold > 0
            && self.consecutive_failures >= failure_threshold
        {
            return true;
        }
        if span == Span::None || (failures == 0 && slow == 0) {
            return false;
        }
        if !settings.counts_run() && failure_threshold > 0 && failures >= failure_threshold {
            return true;
        }
        calls >= min_calls
            && (reaches(failures, calls, failure_rate) || reaches(slow, calls, slow_rate))
    }

    /// Returns the cause of an opening by a call that did not fail: a slow call, or a call that
    /// completes the minimum number of calls for a rate.
    fn cause_beside_success(&self, is_slow: bool) -> FailedCall {
        if is_slow || self.window.has_no_failures() {
            FailedCall::SLOW
        } else {
            FailedCall { reason: self.last_failure, after: None }
        }
    }

    /// Returns whether `max_open` lets the breaker open. If not, counts and reports that the
    /// breaker stays closed.
    fn may_open(&mut self, settings: &Settings, now: Timestamp) -> bool {
        let (Some(membership), Some(max_open)) = (&self.extra.membership, settings.max_open) else {
            return true;
        };
        let Err(held) = membership.may_open(max_open, now) else { return true };
        let extra = self.extra.change();
        extra.held_openings = extra.held_openings.saturating_add(1);
        if let Some(share) = held.to_report {
            extra.events.warn_of_held_breaker(share);
        }
        false
    }

    /// Counts the breaker among the open breakers of its table, until the state says nothing about
    /// the present.
    fn count_as_open(&mut self, settings: &Settings, from: Timestamp) {
        let age = settings.abandoned_after(self.extra.reopened);
        if let Some(membership) = self.membership() {
            membership.set_open_until(Some(from.plus(age)));
        }
    }

    fn membership(&mut self) -> Option<&mut Membership> {
        self.extra.changed()?.membership.as_mut()
    }

    /// Returns whether `max_open` alone keeps the breaker closed.
    pub(super) fn is_held_closed(&self, settings: &Settings, counts: Counts) -> bool {
        self.extra.membership.is_some()
            && self.state == CircuitState::Closed
            && self.should_open(settings, counts)
    }

    /// Warns once if a failure reaches the rate, but the calls in view are too few for the rate to
    /// apply. Not in the first window, which is still filling up. A quiet time after heavy traffic
    /// leads to the warning too.
    fn warn_of_low_traffic(
        &mut self,
        settings: &Settings,
        Counts { calls, failures, .. }: Counts,
        now: impl Fn() -> Timestamp,
    ) {
        let Span::Time { length, .. } = settings.span else { return };
        if self.warned_of_low_traffic
            || settings.failure_threshold > 0
            || calls >= settings.min_calls
            || !reaches(failures, calls, settings.failure_rate)
            || !self.window.is_filled(length, now())
        {
            return;
        }
        self.warned_of_low_traffic = true;
        self.extra.change().events.warn_of_low_traffic(calls, settings.min_calls);
    }

    fn record_trial(
        &mut self,
        settings: &Settings,
        call: AdmittedCall,
        outcome: CallOutcome,
        slow: bool,
        now: impl Fn() -> Timestamp,
    ) {
        if call.trial == 0 {
            return;
        }
        let failure = match outcome {
            CallOutcome::Neutral => return,
            CallOutcome::Success => {
                (settings.slow_rate.is_some() && slow).then_some(FailedCall::SLOW)
            }
            CallOutcome::Failure(failure) => Some(failure),
        };
        // With an expired lease too: the lease decides only when another trial call may start.
        self.extra.change().trials.finished.add(Record { failed: failure.is_some(), slow });
        match self.verdict(settings) {
            Some(Verdict::Close) => self.close_after_trials(settings, now()),
            // Without a failure the settings have changed since the failures of other trial calls.
            Some(Verdict::Open) => {
                self.reopen(settings, now(), failure.unwrap_or(FailedCall::MANUAL));
            }
            None => {}
        }
    }

    /// Returns the decision of the finished trial calls, if they decide under these settings.
    /// Without a decision another trial call may start, now or once a running trial call ends.
    fn verdict(&self, settings: &Settings) -> Option<Verdict> {
        let Counts { calls, failures, .. } = self.extra.trials.finished;
        let needed = settings.successes();
        if calls.saturating_sub(failures) >= needed {
            return Some(Verdict::Close);
        }
        let spare = settings.trial_calls().saturating_sub(needed);
        (failures > spare).then_some(Verdict::Open)
    }

    /// Opens the breaker after trial calls that failed.
    fn reopen(&mut self, settings: &Settings, now: Timestamp, cause: FailedCall) {
        let extra = self.extra.change();
        extra.reopened = extra.reopened.saturating_add(1);
        self.open(settings, now, cause);
    }

    /// Opens the breaker. The window keeps the calls until the first trial call.
    fn open(&mut self, settings: &Settings, now: Timestamp, cause: FailedCall) {
        if self.state == CircuitState::Closed {
            let extra = self.extra.change();
            let was_stable = extra.stable_from.is_none_or(|from| now >= from);
            extra.reopened = if was_stable { 0 } else { extra.reopened.saturating_add(1) };
        }
        self.enter(CircuitState::Open, cause.reason);
        self.origin = Origin::LocalCalls;
        let until = now.plus(settings.open_time(self.extra.reopened, cause.after));
        self.until = Some(until);
        self.count_as_open(settings, until);
    }

    /// Returns whether the breaker is open because of a call with a text for the failure.
    pub(super) const fn opens_by_call(&self) -> bool {
        matches!(self.state, CircuitState::Open)
            && matches!(
                self.reason,
                ChangeReason::Failure(_) | ChangeReason::Panic | ChangeReason::Cancelled
            )
    }

    /// Opens the breaker, as failures do. A manual state stays.
    pub(super) fn trip(&mut self, settings: &Settings, now: Timestamp) {
        self.leave_forced_state(now);
        match self.state {
            CircuitState::ForcedOpen | CircuitState::Disabled => {}
            CircuitState::HalfOpen => self.reopen(settings, now, FailedCall::MANUAL),
            CircuitState::Closed | CircuitState::Open => {
                self.open(settings, now, FailedCall::MANUAL);
            }
        }
    }

    /// Admits trial calls of a breaker that is open or forced open.
    pub(super) fn probe(&mut self, now: Timestamp) {
        self.leave_forced_state(now);
        if matches!(self.state, CircuitState::Open | CircuitState::ForcedOpen) {
            self.half_open(ChangeReason::Manual, now);
        }
    }

    fn half_open(&mut self, reason: ChangeReason, now: Timestamp) {
        self.enter(CircuitState::HalfOpen, reason);
        self.touched = Some(now);
        self.clear();
    }

    /// Closes the breaker after successful trial calls. The open time keeps growing if the breaker
    /// opens again before it was closed for as long as it was open.
    fn close_after_trials(&mut self, settings: &Settings, now: Timestamp) {
        let reopened = self.extra.reopened;
        self.enter_cleared(CircuitState::Closed, ChangeReason::TrialCalls);
        self.origin = Origin::LocalCalls;
        self.recover(settings, now);
        if settings.max_reset_timeout.is_some() {
            let extra = self.extra.change();
            extra.reopened = reopened;
            extra.stable_from = Some(now.plus(settings.nominal_open_time(reopened)));
        }
    }

    fn recover(&mut self, settings: &Settings, now: Timestamp) {
        if let Some(length) = settings.recovery {
            self.extra.change().recovery = Some(Recovery::new(now, length));
        }
    }

    /// Admits all calls of a closed breaker.
    pub(super) fn end_recovery(&mut self) {
        if let Some(extra) = self.extra.changed() {
            extra.recovery = None;
        }
    }

    /// Enters a state that does not expire, and clears the counters.
    pub(super) fn enter_cleared(&mut self, state: CircuitState, reason: ChangeReason) {
        self.enter(state, reason);
        self.clear();
        if let Some(extra) = self.extra.changed() {
            extra.reopened = 0;
        }
    }

    /// Applies a decision of another process.
    pub(super) fn apply_remote(
        &mut self,
        settings: &Settings,
        decision: CircuitDecision,
        now: Timestamp,
    ) {
        self.leave_forced_state(now);
        match (decision, self.state) {
            (_, CircuitState::ForcedOpen | CircuitState::Disabled)
            | (CircuitDecision::Closed, CircuitState::Closed) => {}
            (CircuitDecision::Open(time), CircuitState::Open) => {
                self.until = self.until.max(Some(now.plus(time)));
            }
            (CircuitDecision::Open(time), CircuitState::Closed | CircuitState::HalfOpen) => {
                self.enter(CircuitState::Open, ChangeReason::Remote);
                self.origin = Origin::Remote;
                self.until = Some(now.plus(time));
            }
            (CircuitDecision::Closed, CircuitState::Open | CircuitState::HalfOpen) => {
                self.enter_cleared(CircuitState::Closed, ChangeReason::Remote);
                self.origin = Origin::Remote;
                self.recover(settings, now);
            }
        }
    }

    fn enter(&mut self, state: CircuitState, reason: ChangeReason) {
        self.state = state;
        self.origin = Origin::Other;
        self.reason = reason;
        let is_open = matches!(state, CircuitState::Open | CircuitState::HalfOpen);
        if let (Some(membership), false) = (self.membership(), is_open) {
            membership.set_open_until(None);
        }
        self.generation = self.generation.wrapping_add(1);
        self.until = None;
        if let Some(extra) = self.extra.changed() {
            extra.trials.forget_leases();
            extra.running.clear();
            extra.recovery = None;
            extra.stable_from = None;
        }
    }

    fn clear(&mut self) {
        self.consecutive_failures = 0;
        if let Some(extra) = self.extra.changed() {
            extra.trials.finished = Counts::default();
        }
        if let Some(window) = self.window.changed() {
            window.clear();
        }
    }

    /// Returns the counts in view and the minimum number of calls for a rate: of the window, or of
    /// the finished trial calls. The calls before an opening stay in view until the next trial
    /// call.
    pub(super) fn counts(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
    ) -> (Counts, u32) {
        let trials = self.extra.trials.finished;
        let counts_trials = self.state == CircuitState::HalfOpen || trials.calls > 0;
        let counts = match self.state {
            _ if counts_trials => return (trials, 1),
            CircuitState::Open => self.window.last_counts(settings.span, cursor),
            _ => {
                if let (Some(limit), Some(extra)) = (settings.slow_call, self.extra.changed()) {
                    extra.running.overdue(self.generation, now, limit);
                }
                self.counts_with_running(settings, cursor, now)
            }
        };
        (counts, settings.min_calls.max(1))
    }

    /// Returns the counts of the window and of the running calls that are slow already.
    fn counts_with_running(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
    ) -> Counts {
        let window = self.window.changed();
        let counts = window.map(|window| window.counts(settings.span, cursor, || now));
        self.extra.running.add_to(counts.unwrap_or_default())
    }

    /// Returns whether no failure and no trial call came within the window and the open time, so
    /// that the state says nothing about the present.
    pub(super) fn is_abandoned(&self, settings: &Settings, now: Timestamp) -> bool {
        self.abandoned_from(settings).is_some_and(|from| now >= from)
    }

    fn abandoned_from(&self, settings: &Settings) -> Option<Timestamp> {
        let age = settings.abandoned_after(self.extra.reopened);
        self.until.max(self.touched).map(|last| last.plus(age))
    }

    /// Returns the time before which an open breaker, or a closed breaker with failures in a row,
    /// stays as it is without a call, in the form of the published state.
    pub(super) fn lasts_until(&self, settings: &Settings) -> Option<u64> {
        match self.state {
            CircuitState::Open => self.until.map(Timestamp::word),
            CircuitState::Closed if self.consecutive_failures > 0 => {
                self.abandoned_from(settings).map(Timestamp::since_origin)
            }
            _ => None,
        }
    }

    /// Returns the time until the breaker counts as stable after closing.
    pub(super) fn unstable_for(&self, now: Timestamp) -> Option<Duration> {
        self.extra.stable_from.map(|from| from.since(now)).filter(|rest| !rest.is_zero())
    }
}

/// Returns whether a part of the calls reaches a rate.
fn reaches(part: u32, calls: u32, rate: Option<f64>) -> bool {
    // The quotient rounds to the same number as the literal; a product would not.
    rate.is_some_and(|rate| part > 0 && f64::from(part) / f64::from(calls) >= rate)
}
