//! The record of a policy: identity and figures. A record exists from the first event of the
//! policy on.

use core::panic::Location;
use core::sync::atomic::{
    AtomicBool, AtomicU8, AtomicUsize,
    Ordering::{AcqRel, Relaxed},
};
use core::time::Duration;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::changes::touch;
use super::facts::{Facts, facts_in_use};
use super::policy::Policy;
use super::report::{PolicyKind, PolicyReport, Setting, SourceLocation};
use super::retired::retire;
use crate::CircuitState;
use crate::budget::RetryBudget;
use crate::clock;
use crate::figures::durations::{Durations, Ended};
use crate::figures::stripes::{Counters, Stripes};
use crate::figures::table::{
    self, Counter, Figure, FigureKind, FigureValue, STATE_LABEL, Slot, slot,
};
use crate::mode;
use crate::settings::{Check, Live, Overrides, Refusal, is_off, overrides};
use crate::sync::Tally;

/// A change of a state: from, to, and the reason.
pub(crate) type Transition = (CircuitState, CircuitState, &'static str);

/// The record of a policy.
#[derive(Debug)]
pub struct Record {
    pub(crate) kind: PolicyKind,
    pub(crate) name: &'static str,
    pub(crate) location: &'static Location<'static>,
    /// The number of layers outside, in an annotated function.
    pub(crate) depth: u8,
    /// Whether the policy has a state per key.
    pub(crate) is_table: bool,
    /// The settings and the effect, for a policy that the registry cannot ask.
    facts: OnceLock<(Vec<Setting>, Facts)>,
    /// The settings of the code, which decide about overrides.
    code: OnceLock<Box<dyn Check>>,
    /// The overrides of a policy without a state.
    live: Live<Overrides>,
    /// The budget of a retry.
    budget: OnceLock<&'static RetryBudget>,
    counters: Stripes,
    durations: Durations,
    /// The rejected calls of a policy without keys.
    pub(crate) rejected: Tally,
    transitions: Mutex<Vec<(Transition, u64)>>,
    /// The last known state of a breaker, plus one.
    last_state: AtomicU8,
    /// Whether the list has the record.
    is_listed: AtomicBool,
    /// The number of policies that count here.
    owners: AtomicUsize,
    /// Whether the counters are among those of dropped policies; changed under their lock.
    is_retired: AtomicBool,
}

/// The states, each with its label.
static STATES: [(CircuitState, [(&str, &str); 1]); 5] = [
    (CircuitState::Closed, [(STATE_LABEL, "closed")]),
    (CircuitState::Open, [(STATE_LABEL, "open")]),
    (CircuitState::HalfOpen, [(STATE_LABEL, "half_open")]),
    (CircuitState::ForcedOpen, [(STATE_LABEL, "forced_open")]),
    (CircuitState::Disabled, [(STATE_LABEL, "disabled")]),
];

/// Returns the value of the labels of a state.
pub(crate) fn state_label(state: CircuitState) -> &'static str {
    let known = STATES.iter().find(|(known, _)| *known == state);
    known.map_or("other", |(_, [(_, label)])| *label)
}

impl Record {
    pub(crate) fn new(
        kind: PolicyKind,
        name: &'static str,
        location: &'static Location<'static>,
        depth: u8,
        is_table: bool,
    ) -> Self {
        Self {
            kind,
            name,
            location,
            depth,
            is_table,
            facts: OnceLock::new(),
            code: OnceLock::new(),
            live: Live::new(),
            budget: OnceLock::new(),
            counters: Stripes::new(),
            durations: Durations::default(),
            rejected: Tally::new(0),
            transitions: Mutex::new(Vec::new()),
            last_state: AtomicU8::new(0),
            is_listed: AtomicBool::new(false),
            owners: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
        }
    }

    /// Adds a policy that counts here.
    pub(super) fn add_owner(&self) {
        self.owners.fetch_add(1, Relaxed);
    }

    /// Removes a policy. The last policy retires the counters of a listed record.
    pub(super) fn remove_owner(&self) {
        if self.owners.fetch_sub(1, AcqRel) == 1 && self.is_listed.load(Relaxed) {
            let counts = self.counts();
            retire(self.name, self.kind, counts, || self.is_retired.store(true, Relaxed));
        }
    }

    /// Returns whether the counters are among those of dropped policies.
    pub(super) fn is_retired(&self) -> bool {
        self.is_retired.load(Relaxed)
    }

    /// Keeps the settings and the effect, unless they are known. `facts` runs no code of the user.
    pub(crate) fn keep_facts(&self, facts: impl FnOnce() -> (Vec<Setting>, Facts)) {
        self.facts.get_or_init(facts);
    }

    /// Keeps the settings of the code, unless they are known.
    pub(crate) fn keep_code(&self, code: impl FnOnce() -> Box<dyn Check>) {
        self.code.get_or_init(code);
    }

    /// Checks overrides of this policy.
    pub(crate) fn check(&self, overrides: &Overrides) -> Result<(), Refusal> {
        match self.code.get() {
            Some(code) if !overrides.is_empty() => code.check(overrides),
            _ => Ok(()),
        }
    }

    /// Returns the overrides of a policy without a state.
    #[cold]
    pub(crate) fn overrides(&self) -> Option<Arc<Overrides>> {
        if self.live.is_stale() {
            let accepts = |overrides: &Overrides| self.check(overrides).is_ok();
            self.live.refresh_with(self.kind, self.name, accepts, Some);
        }
        self.live.overridden()
    }

    /// Keeps the budget of a retry, unless it is known.
    pub(crate) fn keep_budget(&self, budget: &'static RetryBudget) {
        self.budget.get_or_init(|| budget);
    }

    /// Keeps the settings of a policy of a sister crate, unless they are known.
    pub fn keep_settings(&self, settings: impl FnOnce() -> Vec<Setting>) {
        self.keep_facts(|| (settings(), Facts::Unknown));
    }

    /// Returns the effect of `policy`, or of a policy that only the record knows, under the
    /// settings in use.
    pub(crate) fn facts_of(&self, policy: Option<&dyn Policy>) -> Facts {
        let facts = match policy {
            Some(policy) => policy.facts().in_state(policy.state()),
            None => self.facts(),
        };
        match self.code.get() {
            Some(code) => facts_in_use(self.kind, self.name, &**code, facts),
            None => facts,
        }
    }

    /// Returns the effect on a call, as known from events.
    fn facts(&self) -> Facts {
        match (self.facts.get(), self.kind) {
            (_, PolicyKind::Idempotent) => {
                Facts::Rejects("runs the body once per key, and replays the outcome".into())
            }
            (Some((_, facts)), _) => facts.clone(),
            (None, PolicyKind::Fallback) => Facts::Replaces,
            (None, PolicyKind::Timeout) => Facts::Ends(None),
            (None, _) => Facts::Unknown,
        }
    }

    fn settings(&self) -> Vec<Setting> {
        self.facts.get().map(|(settings, _)| settings.clone()).unwrap_or_default()
    }

    /// Marks overridden settings with their value and origin.
    fn marked(&self, mut settings: Vec<Setting>) -> Vec<Setting> {
        if mode::has_settings() {
            let (_, overrides) = overrides(self.kind, self.name);
            overrides.accepted(|all| self.check(all).is_ok()).mark(&mut settings);
        }
        settings
    }

    /// Returns the place in the source code.
    pub(crate) fn place(&self) -> SourceLocation {
        SourceLocation::of(self.location)
    }

    /// Returns whether `policy`, or the policy that only the record knows, has no open circuit.
    pub(crate) fn is_closed(&self, policy: Option<&dyn Policy>) -> bool {
        if is_off(self.kind, self.name) {
            return true;
        }
        if let Some(keys) = policy.and_then(Policy::keys) {
            return keys.open == 0;
        }
        let state = policy.map_or_else(|| Some(self.last_state()), Policy::state);
        state.is_none_or(CircuitState::admits_all)
    }

    /// Marks the record as listed: its counters outlive the policy.
    pub(super) fn set_listed(&self) {
        self.is_listed.store(true, Relaxed);
    }

    /// Returns the counters of all threads.
    pub(super) fn stripes(&self) -> &Stripes {
        &self.counters
    }

    /// Returns the counters of this thread, if the thread has counted here before.
    #[inline]
    pub(super) fn known_counters(&self) -> Option<Counters<'_>> {
        self.counters.known()
    }

    /// Returns the counters of this thread.
    #[inline]
    pub(crate) fn counters(&self) -> Counters<'_> {
        self.counters.own()
    }

    /// Counts one.
    #[inline]
    pub fn count(&self, slot: Slot) {
        self.counters().add(slot, 1);
    }

    /// Adds a time.
    pub(crate) fn add_time(&self, slot: Slot, time: Duration) {
        self.counters().add(slot, clock::nanos(time));
    }

    /// Counts a duration. Without the feature `duration-histograms`, does nothing.
    pub(crate) fn add_duration(&self, end: Ended, duration: Duration) {
        self.durations.add(end, duration);
    }

    /// Counts a change of the state.
    pub(crate) fn count_transition(&self, transition: Transition) {
        let index = STATES.iter().position(|(known, _)| *known == transition.1);
        let index = index.and_then(|index| u8::try_from(index + 1).ok());
        self.last_state.store(index.unwrap_or(0), Relaxed);
        let mut transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        match transitions.iter_mut().find(|(known, _)| *known == transition) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => transitions.push((transition, 1)),
        }
    }

    fn last_state(&self) -> CircuitState {
        let index = usize::from(self.last_state.load(Relaxed)).checked_sub(1);
        index.and_then(|index| STATES.get(index)).map_or(CircuitState::Closed, |(state, _)| *state)
    }

    /// Returns the report about `policy`, or about a policy that only the record knows.
    pub(crate) fn report(&self, policy: Option<&dyn Policy>) -> PolicyReport {
        PolicyReport {
            name: self.name,
            kind: self.kind,
            location: self.place(),
            shares_name: false,
            settings: self.marked(policy.map_or_else(|| self.settings(), Policy::settings)),
            state: self.state(policy),
            figures: self.figures(policy),
            keys: policy.and_then(Policy::keys),
        }
    }

    /// Returns the state of a circuit breaker without keys.
    fn state(&self, policy: Option<&dyn Policy>) -> Option<CircuitState> {
        let is_breaker = self.kind == PolicyKind::CircuitBreaker && !self.is_table;
        let state = || policy.map_or_else(|| Some(self.last_state()), Policy::state);
        if is_breaker { state() } else { None }
    }

    /// Returns the counters and the current values.
    pub(crate) fn figures(&self, policy: Option<&dyn Policy>) -> Vec<Figure> {
        let mut figures = self.counts();
        if let Some(state) = self.state(policy) {
            for (known, labels) in &STATES {
                figures.push(Figure {
                    info: &table::CIRCUIT_STATE,
                    labels: Cow::Borrowed(labels),
                    value: FigureValue::Count(u64::from(*known == state)),
                });
            }
        }
        if let Some(budget) = self.budget.get() {
            figures.push(Figure::gauge(&table::TOKENS, budget.tokens().into()));
        }
        if let Some(policy) = policy {
            policy.figures_now(&mut figures);
        }
        figures
    }

    /// Returns the counters.
    fn counts(&self) -> Vec<Figure> {
        let keyed: &[Counter] = if self.is_table { table::KEYED } else { &[] };
        let counters = table::counters(self.kind);
        // With room for the states of a breaker, and for current values.
        let mut figures = Vec::with_capacity(counters.len().saturating_add(10));
        for counter in counters.iter().chain(keyed) {
            let rejected =
                if counter.slot == slot::REJECTED { self.rejected.load(Relaxed) } else { 0 };
            let total = self.counters.total(counter.slot).wrapping_add(rejected);
            figures.push(Figure {
                info: counter.info,
                labels: Cow::Borrowed(counter.labels),
                value: value(counter.info.unit, total),
            });
        }
        let transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((from, to, reason), count) in transitions {
            let [from_label, to_label, reason_label] = table::TRANSITION_LABELS;
            figures.push(Figure {
                info: &table::TRANSITIONS,
                labels: Cow::Owned(vec![
                    (from_label, state_label(from)),
                    (to_label, state_label(to)),
                    (reason_label, reason),
                ]),
                value: FigureValue::Count(count),
            });
        }
        self.durations.figures(&mut figures);
        debug_assert!(figures.iter().all(|figure| figure.info.kind != FigureKind::Gauge));
        figures
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.kind == PolicyKind::CircuitBreaker {
            touch(Some(self.name));
        }
    }
}

fn value(unit: &str, total: u64) -> FigureValue {
    match unit {
        "s" => FigureValue::Time(Duration::from_nanos(total)),
        _ => FigureValue::Count(total),
    }
}
