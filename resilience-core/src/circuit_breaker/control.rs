//! Metrics and manual control of a breaker.

use core::sync::atomic::Ordering::Relaxed;

use super::machine::Machine;
use super::{CircuitBreaker, CircuitSnapshot, CircuitState};
use crate::clock;
use crate::clock::Timestamp;
use crate::keyed::{KeyLabel, KeyedPolicy};
use crate::sync::lock;

/// Metrics and manual control.
impl CircuitBreaker {
    /// Returns the current state. An open breaker stays open until the first call after the open
    /// time.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        lock(&self.machine).state
    }

    /// Returns the state and the counters.
    #[must_use]
    pub fn snapshot(&self) -> CircuitSnapshot {
        let mut machine = lock(&self.machine);
        let (counts, least) = machine.counts(&self.settings, &self.cursor, clock::now);
        let enough = counts.calls >= least;
        let rate = |part| enough.then(|| f64::from(part) / f64::from(counts.calls));
        CircuitSnapshot {
            state: machine.state,
            open_for: machine.until.map(|until| until.since(clock::now())),
            reopened: machine.reopened(),
            consecutive_failures: machine.consecutive_failures,
            calls: counts.calls,
            failures: counts.failures,
            slow_calls: counts.slow,
            failure_rate: rate(counts.failures),
            slow_rate: rate(counts.slow),
            rejected: self.rejected.load(Relaxed),
        }
    }

    /// Restores the state of a snapshot: the state, the remaining open time, the number of
    /// reopenings, and the failures in a row. The window starts empty.
    pub fn restore(&self, snapshot: &CircuitSnapshot) {
        let CircuitSnapshot { state, consecutive_failures, reopened, open_for, .. } = *snapshot;
        let until = match state {
            CircuitState::Open => {
                let open_for = open_for.unwrap_or_else(|| self.settings.open_time(reopened));
                Some(clock::now().plus(open_for))
            }
            _ => None,
        };
        self.change(|machine| machine.restore(state, consecutive_failures, reopened, until));
    }

    /// Opens the breaker, as too many failures do. For health checks and alerts. If already open,
    /// the open time starts again.
    pub fn trip(&self) {
        self.change(|machine| machine.trip(&self.settings, clock::now()));
    }

    /// Admits trial calls now, if the breaker is open. For a known repair. No effect in other
    /// states.
    pub fn probe(&self) {
        self.change(|machine| {
            if matches!(machine.state, CircuitState::Open | CircuitState::ForcedOpen) {
                machine.half_open();
            }
        });
    }

    /// Rejects all calls until [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.change(|machine| machine.enter_cleared(CircuitState::ForcedOpen));
    }

    /// Closes the breaker from any state and clears the counters. No effect on a closed breaker.
    pub fn force_close(&self) {
        self.change(|machine| {
            if machine.state != CircuitState::Closed {
                machine.close();
            }
        });
    }

    /// Admits all calls without counting, until [`force_close`](Self::force_close) or
    /// [`reset`](Self::reset).
    pub fn disable(&self) {
        self.change(|machine| machine.enter_cleared(CircuitState::Disabled));
    }

    /// Returns to the initial state: closed, with cleared counters. Running calls no longer count.
    pub fn reset(&self) {
        self.change(Machine::close);
    }

    /// Publishes the state for the fast paths again.
    pub(super) fn republish(&self) {
        self.change(|_| ());
    }
}

impl KeyedPolicy for CircuitBreaker {
    const POLICY: &'static str = "circuit_breaker";

    /// A closed breaker without a failure in view is stale: an eviction loses successes only. In
    /// any other state the breaker is stale once the last failure is older than the window and the
    /// open time. A manual state never becomes stale.
    fn is_stale(&self, now: Timestamp) -> bool {
        // Closed, without a window and without a failure: known without the lock.
        if self.is_idle() {
            return true;
        }
        let mut machine = lock(&self.machine);
        if matches!(machine.state, CircuitState::ForcedOpen | CircuitState::Disabled) {
            return false;
        }
        let (counts, _) = machine.counts(&self.settings, &self.cursor, || now);
        let has_no_failures =
            machine.consecutive_failures == 0 && counts.failures == 0 && counts.slow == 0;
        machine.state == CircuitState::Closed && has_no_failures
            || machine.is_abandoned(&self.settings, now)
    }

    fn policy_name(&self) -> &'static str {
        self.name_or_default()
    }

    fn or_name(self, name: &'static str) -> Self {
        self.at(name)
    }

    fn with_key_label(mut self, label: KeyLabel) -> Self {
        self.key_label = Some(label);
        self
    }
}
