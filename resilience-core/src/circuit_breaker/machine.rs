//! The state machine of a breaker, without concurrency.

use core::time::Duration;

use super::cursor::Cursor;
use super::settings::Settings;
use super::sync::CircuitDecision;
use super::window::{Counts, Record, Span, Window};
use crate::clock::Timestamp;

/// The state of a breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls are admitted, and failures are counted.
    #[default]
    Closed,
    /// Calls are rejected until the open time ends.
    Open,
    /// A few trial calls are admitted, and their outcomes decide.
    HalfOpen,
    /// Calls are rejected until the breaker is closed by hand:
    /// [`force_open`](super::CircuitBreaker::force_open).
    ForcedOpen,
    /// Calls are admitted and not counted: [`disable`](super::CircuitBreaker::disable).
    Disabled,
}

/// The outcome of a call for the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallOutcome {
    Success,
    Failure,
    /// Neither: an error declined by `on`, a rejection by an inner layer, a cancelled call.
    Neutral,
}

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

/// An admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdmittedCall {
    pub(super) generation: u32,
    /// The number of the trial call; 0 for other calls.
    pub(super) probe: u32,
}

/// A trial call in progress.
#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u32,
    /// The end of the lease: from then on another trial call may start.
    expires: Timestamp,
}

/// The state under the lock. The [`Cursor`] is separate, because the fast paths share the cursor
/// without the lock.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) state: CircuitState,
    pub(super) origin: Origin,
    /// The number of state changes. Outcomes of calls from an earlier generation are ignored.
    pub(super) generation: u32,
    /// Failures in a row.
    pub(super) consecutive_failures: u32,
    window: Window,
    /// How often the breaker has opened again since the last time it was closed.
    reopened: u32,
    /// While open: the time of the first trial call.
    pub(super) until: Option<Timestamp>,
    probes: Vec<Probe>,
    /// The number of the last trial call.
    last_probe: u32,
    /// The finished trial calls of the current half-open state.
    trials: Counts,
    /// The time of the last failure or trial call, or the end of the open time.
    touched: Option<Timestamp>,
}

impl Machine {
    pub(super) const fn new() -> Self {
        Self {
            state: CircuitState::Closed,
            origin: Origin::Other,
            generation: 0,
            consecutive_failures: 0,
            window: Window::new(),
            reopened: 0,
            until: None,
            probes: Vec::new(),
            last_probe: 0,
            trials: Counts { calls: 0, failures: 0, slow: 0 },
            touched: None,
        }
    }

    /// Admits a call, or returns the time until a call may be admitted, if known.
    pub(super) fn admit(
        &mut self,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<AdmittedCall, Option<Duration>> {
        match self.state {
            CircuitState::Closed | CircuitState::Disabled => {
                return Ok(AdmittedCall { generation: self.generation, probe: 0 });
            }
            CircuitState::ForcedOpen => return Err(None),
            CircuitState::Open => {
                if let Some(until) = self.until.filter(|until| now < *until) {
                    return Err(Some(until.since(now)));
                }
                self.half_open();
            }
            CircuitState::HalfOpen => self.probes.retain(|probe| now < probe.expires),
        }
        let under_way = u32::try_from(self.probes.len()).unwrap_or(u32::MAX);
        if under_way.saturating_add(self.trials.calls) >= settings.probes() {
            return Err(None);
        }
        let number = (self.last_probe + 1) & PROBES;
        let number = number.max(1);
        self.last_probe = number;
        self.probes.push(Probe { number, expires: now.plus(settings.lease()) });
        self.touched = Some(now);
        Ok(AdmittedCall { generation: self.generation, probe: number })
    }

    /// Records the end of a call.
    pub(super) fn settle(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        admitted: AdmittedCall,
        outcome: CallOutcome,
        took: Option<Duration>,
        now: impl Fn() -> Timestamp,
    ) {
        if admitted.generation != self.generation {
            return;
        }
        let slow = settings.slow_call.zip(took).is_some_and(|(limit, took)| took > limit);
        match self.state {
            CircuitState::Closed => self.record_call(settings, cursor, outcome, slow, now),
            CircuitState::HalfOpen => self.record_probe(settings, admitted, outcome, slow, now),
            CircuitState::Open | CircuitState::ForcedOpen | CircuitState::Disabled => {}
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
        let failed = match outcome {
            CallOutcome::Neutral => return,
            CallOutcome::Success => false,
            CallOutcome::Failure => true,
        };
        self.consecutive_failures =
            if failed { self.consecutive_failures.saturating_add(1) } else { 0 };
        if failed || slow {
            self.touched = Some(now());
        }
        self.window.record(settings.span, cursor, &now, Record { failed, slow });
        if self.should_open(settings, cursor) {
            self.open(settings, now());
        }
    }

    /// Returns whether the breaker has to open. Evaluated after successes too: a success may
    /// complete the minimum number of calls for a rate.
    fn should_open(&self, settings: &Settings, cursor: &Cursor) -> bool {
        let Settings { failure_threshold, failure_rate, slow_rate, min_calls, span, .. } =
            *settings;
        if settings.counts_run()
            && failure_threshold > 0
            && self.consecutive_failures >= failure_threshold
        {
            return true;
        }
        if span == Span::None {
            return false;
        }
        let Counts { calls, failures, slow } = self.window.last_counts(span, cursor);
        if failures == 0 && slow == 0 {
            return false;
        }
        if !settings.counts_run() && failure_threshold > 0 && failures >= failure_threshold {
            return true;
        }
        let reaches = |part: u32, rate: Option<f64>| {
            // The quotient rounds to the same number as the literal; a product would not.
            rate.is_some_and(|rate| part > 0 && f64::from(part) / f64::from(calls) >= rate)
        };
        calls >= min_calls && (reaches(failures, failure_rate) || reaches(slow, slow_rate))
    }

    fn record_probe(
        &mut self,
        settings: &Settings,
        admitted: AdmittedCall,
        outcome: CallOutcome,
        slow: bool,
        now: impl Fn() -> Timestamp,
    ) {
        let index = self.probes.iter().position(|probe| probe.number == admitted.probe);
        // The lease of this trial call expired, and another trial call has the permit.
        let Some(index) = index else { return };
        self.probes.swap_remove(index);
        let failed = match outcome {
            CallOutcome::Neutral => return,
            CallOutcome::Success => settings.slow_rate.is_some() && slow,
            CallOutcome::Failure => true,
        };
        self.trials.add(Record { failed, slow });
        let successes = self.trials.calls.saturating_sub(self.trials.failures);
        let needed = settings.successes();
        if successes >= needed {
            self.close();
            self.origin = Origin::LocalCalls;
        } else if self.trials.failures > settings.probes().saturating_sub(needed) {
            self.reopened = self.reopened.saturating_add(1);
            self.open(settings, now());
        }
    }

    /// Opens the breaker. The window keeps the calls until the first trial call.
    pub(super) fn open(&mut self, settings: &Settings, now: Timestamp) {
        self.enter(CircuitState::Open);
        self.origin = Origin::LocalCalls;
        self.until = Some(now.plus(settings.open_time(self.reopened)));
    }

    /// Opens the breaker, as failures do.
    pub(super) fn trip(&mut self, settings: &Settings, now: Timestamp) {
        if self.state == CircuitState::HalfOpen {
            self.reopened = self.reopened.saturating_add(1);
        }
        self.open(settings, now);
    }

    pub(super) fn half_open(&mut self) {
        self.enter(CircuitState::HalfOpen);
        self.clear();
    }

    /// Closes the breaker and clears the counters.
    pub(super) fn close(&mut self) {
        self.enter_cleared(CircuitState::Closed);
    }

    /// Enters a state that does not expire, and clears the counters.
    pub(super) fn enter_cleared(&mut self, state: CircuitState) {
        self.enter(state);
        self.clear();
        self.reopened = 0;
    }

    /// Restores the state of a snapshot.
    pub(super) fn restore(
        &mut self,
        state: CircuitState,
        consecutive_failures: u32,
        reopened: u32,
        until: Option<Timestamp>,
    ) {
        self.enter(state);
        self.clear();
        (self.consecutive_failures, self.reopened, self.until) =
            (consecutive_failures, reopened, until);
    }

    /// Applies a decision of another process.
    pub(super) fn apply_remote(&mut self, decision: CircuitDecision, now: Timestamp) {
        match (decision, self.state) {
            (_, CircuitState::ForcedOpen | CircuitState::Disabled)
            | (CircuitDecision::Closed, CircuitState::Closed) => {}
            (CircuitDecision::Open(time), CircuitState::Open) => {
                self.until = self.until.max(Some(now.plus(time)));
            }
            (CircuitDecision::Open(time), CircuitState::Closed | CircuitState::HalfOpen) => {
                self.enter(CircuitState::Open);
                self.origin = Origin::Remote;
                self.until = Some(now.plus(time));
            }
            (CircuitDecision::Closed, CircuitState::Open | CircuitState::HalfOpen) => {
                self.close();
                self.origin = Origin::Remote;
            }
        }
    }

    fn enter(&mut self, state: CircuitState) {
        self.state = state;
        self.origin = Origin::Other;
        self.generation = self.generation.wrapping_add(1);
        self.until = None;
        self.probes.clear();
    }

    fn clear(&mut self) {
        self.consecutive_failures = 0;
        self.trials = Counts::default();
        self.window.clear();
    }

    /// Returns the counts in view and the minimum number of calls for a rate: of the window, or of
    /// the finished trial calls. The calls before an opening stay in view until the next trial
    /// call.
    pub(super) fn counts(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: impl FnOnce() -> Timestamp,
    ) -> (Counts, u32) {
        let probes = self.state == CircuitState::HalfOpen || self.trials.calls > 0;
        let counts = match self.state {
            _ if probes => return (self.trials, 1),
            CircuitState::Open => self.window.last_counts(settings.span, cursor),
            _ => self.window.counts(settings.span, cursor, now),
        };
        (counts, settings.min_calls.max(1))
    }

    pub(super) const fn reopened(&self) -> u32 {
        self.reopened
    }

    /// Returns whether no failure and no trial call came within the window and the open time, so
    /// that the state says nothing about the present.
    pub(super) fn is_abandoned(&self, settings: &Settings, now: Timestamp) -> bool {
        let window = match settings.span {
            Span::Time { length, .. } => length,
            Span::None | Span::Calls(_) => Duration::ZERO,
        };
        let age = window.max(settings.open_time(self.reopened));
        self.until.max(self.touched).is_some_and(|last| now >= last.plus(age))
    }
}

/// The largest number of a trial call; a guard has 24 bits for the number.
pub(super) const PROBES: u32 = (1 << 24) - 1;
