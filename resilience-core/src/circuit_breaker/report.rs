//! The figures and the report of a breaker.

use core::fmt;
use core::sync::atomic::Ordering::Acquire;
use core::time::Duration;

use super::call::CallOutcome;
use super::definition::{Defined, View};
use super::snapshot::ChangeReason;
use super::window::Span;
use super::word::COUNTED;
use super::{CircuitBreaker, CircuitState, OnCancel};
use crate::clock::{self, Timestamp};
use crate::duration::{Exact, Rounded};
use crate::figures::table::slot;
use crate::keyed::KeyLabel;
use crate::mode;
use crate::registry::facts::Facts;
use crate::registry::policy::{count, count_success, explain, record_of};
use crate::registry::{Explanation, Policy, PolicyFigures, PolicyKind, Setting};
use crate::settings::{Action, Check};
use crate::sync::{Tally, lock};

impl<D: Defined> CircuitBreaker<D> {
    /// Explains the settings: the conditions of a rejection, in words and as data.
    ///
    /// ```
    /// use resilience::CircuitBreaker;
    ///
    /// let policy = CircuitBreaker::new().failure_rate(0.5);
    /// assert_eq!(policy.explain().layers[0].text, "opens after 50% failures of the last 10s (at least 20 calls), for 30s");
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        explain(self)
    }
}

impl View<'_> {
    /// Publishes that successes are counted, if the word does not tell yet. The word alone decides
    /// at the end of a call, so that no success counts twice.
    #[inline]
    pub(super) fn expect_counting(self) {
        if mode::is_counting() && self.word.load(Acquire) & COUNTED == 0 {
            self.republish();
        }
    }

    /// Counts the end of a call with a report.
    pub(super) fn count_outcome(self, outcome: CallOutcome) {
        match outcome {
            CallOutcome::Success => count_success(&self),
            CallOutcome::Failure(_) => count(&self, slot::FAILURE),
            CallOutcome::Neutral => count(&self, slot::IGNORED),
        }
    }

    /// Counts the end of a call without a report.
    pub(super) fn count_end(self, panicked: bool) {
        count(&self, if panicked { slot::FAILURE } else { slot::CANCELLED });
    }

    /// Counts a change of the state.
    pub(super) fn count_transition(
        self,
        from: CircuitState,
        to: CircuitState,
        reason: ChangeReason,
    ) {
        record_of(&self).count_transition((from, to, reason.as_str()));
    }
}

/// A share as a percentage with at most four decimals: the product of a share and 100 has rounding
/// errors.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", (self.0 * 1e6).round() / 1e4)
    }
}

impl Policy for View<'_> {
    fn kind(&self) -> PolicyKind {
        PolicyKind::CircuitBreaker
    }

    fn name(&self) -> &'static str {
        self.name_or_default()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.definition.figures
    }

    fn own_rejections(&self) -> &Tally {
        &self.state.rejected
    }

    fn key_label(&self) -> Option<&KeyLabel> {
        self.key_label.as_ref()
    }

    fn code(&self) -> Box<dyn Check> {
        Box::new(self.definition.settings)
    }

    fn refresh(&self) {
        self.follow();
    }

    fn control(&self, action: Action, time: Option<Duration>) -> bool {
        match action {
            Action::ForceOpen => self.force(CircuitState::ForcedOpen, time),
            Action::ForceClosed => self.force(CircuitState::Disabled, time),
            Action::Release => self.force_close(),
            Action::Reset => self.reset(),
            Action::Drain => return false,
        }
        true
    }

    /// The state without a side effect: events that wait are not delivered.
    fn state(&self) -> Option<CircuitState> {
        Some(lock(&self.machine).state_at(clock::now()))
    }

    fn forced_until(&self) -> Option<Timestamp> {
        let machine = lock(&self.machine);
        // A forced state that has ended says nothing about the other keys of a table.
        let state = machine.state_at(clock::now());
        let is_forced = matches!(state, CircuitState::ForcedOpen | CircuitState::Disabled);
        machine.until.filter(|_| is_forced)
    }

    fn facts(&self) -> Facts {
        let settings = &*self.current();
        let window = match settings.span {
            Span::None => String::new(),
            Span::Calls(calls) => format!(" of the last {calls} calls"),
            Span::Time { length, .. } => format!(" of the last {}", Rounded(length)),
        };
        let mut opens = Vec::new();
        match (settings.failure_threshold, settings.span) {
            (0, _) => {}
            (1, _) => opens.push("1 failure".to_owned()),
            (failures, Span::Calls(_) | Span::Time { .. }) if !settings.counts_run() => {
                opens.push(format!("{failures} failures{window}"));
            }
            (failures, _) => opens.push(format!("{failures} failures in a row")),
        }
        let least = settings.min_calls;
        if let Some(rate) = settings.failure_rate {
            let percent = Percent(rate);
            opens.push(format!("{percent} failures{window} (at least {least} calls)"));
        }
        if let (Some(limit), Some(rate)) = (settings.slow_call, settings.slow_rate) {
            let (percent, limit) = (Percent(rate), Rounded(limit));
            opens.push(format!("{percent} calls above {limit}{window} (at least {least} calls)"));
        }
        let first = Rounded(settings.reset_timeout);
        let open_for = match settings.max_reset_timeout {
            Some(max) => format!("{first}, up to {}", Rounded(max)),
            None => first.to_string(),
        };
        let mut text = format!("opens after {}, for {open_for}", opens.join(" or "));
        if settings.shadow {
            text.push_str("; only observes, in shadow mode");
        }
        Facts::Rejects(text)
    }

    fn settings(&self) -> Vec<Setting> {
        let settings = &*self.current();
        let mut list = Vec::new();
        let mut add = |setting| list.push(setting);
        if settings.failure_threshold > 0 {
            add(Setting::code("failure_threshold", settings.failure_threshold));
        }
        if let Some(rate) = settings.failure_rate {
            add(Setting::code("failure_rate", rate));
        }
        match settings.span {
            Span::None => {}
            Span::Calls(calls) => add(Setting::code("window", calls)),
            Span::Time { length, .. } => add(Setting::code("window", Exact(length))),
        }
        if settings.failure_rate.is_some() || settings.slow_rate.is_some() {
            add(Setting::code("min_calls", settings.min_calls));
        }
        if let Some(limit) = settings.slow_call {
            add(Setting::code("slow_call", Exact(limit)));
        }
        if let Some(rate) = settings.slow_rate {
            add(Setting::code("slow_rate", rate));
        }
        add(Setting::code("reset_timeout", Exact(settings.reset_timeout)));
        if let Some(time) = settings.max_reset_timeout {
            add(Setting::code("max_reset_timeout", Exact(time)));
        }
        add(Setting::code("jitter", settings.jitter));
        if let Some(time) = settings.recovery {
            add(Setting::code("recovery", Exact(time)));
        }
        if let Some(share) = settings.max_open {
            add(Setting::code("max_open", share));
        }
        add(Setting::code("success_threshold", settings.successes()));
        add(Setting::code("half_open_calls", settings.trial_calls()));
        let on_cancel = match settings.on_cancel {
            OnCancel::Ignore => "ignore",
            OnCancel::Failure => "failure",
        };
        add(Setting::code("on_cancel", on_cancel));
        add(Setting::code("shadow", settings.shadow));
        if let Some(name) = settings.shared {
            add(Setting::code("shared", name));
        }
        list
    }
}

impl<D: Defined> Policy for CircuitBreaker<D> {
    fn kind(&self) -> PolicyKind {
        PolicyKind::CircuitBreaker
    }

    fn name(&self) -> &'static str {
        self.view().name()
    }

    fn own_figures(&self) -> &PolicyFigures {
        &self.view().definition.figures
    }

    fn own_rejections(&self) -> &Tally {
        &self.state.rejected
    }

    fn key_label(&self) -> Option<&KeyLabel> {
        self.state.key_label.as_ref()
    }

    fn code(&self) -> Box<dyn Check> {
        self.view().code()
    }

    fn refresh(&self) {
        self.view().refresh();
    }

    fn control(&self, action: Action, time: Option<Duration>) -> bool {
        self.view().control(action, time)
    }

    fn state(&self) -> Option<CircuitState> {
        self.view().state()
    }

    fn forced_until(&self) -> Option<Timestamp> {
        self.view().forced_until()
    }

    fn facts(&self) -> Facts {
        self.view().facts()
    }

    fn settings(&self) -> Vec<Setting> {
        self.view().settings()
    }
}
