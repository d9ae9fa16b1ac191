//! Metrics and manual control of a breaker.

use core::time::Duration;
use std::sync::{Arc, OnceLock};

use super::snapshot::ChangeReason;
use super::{CircuitBreaker, CircuitSnapshot, CircuitState};
use crate::clock;
use crate::clock::Timestamp;
use crate::keyed::{KeyGroup, KeyLabel, KeyState, KeyedPolicy, Membership};
use crate::registry::{Policy as _, PolicyFigures};
use crate::sync::lock;

const MANUAL: ChangeReason = ChangeReason::Manual;

/// Metrics and manual control.
impl CircuitBreaker {
    /// Returns the current state. An open breaker stays open until the first call after the open
    /// time. A state change that was caused by a panic is now delivered to the hook.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.change(|machine| machine.state)
    }

    /// Returns the state and the counters.
    #[must_use]
    pub fn snapshot(&self) -> CircuitSnapshot {
        let now = clock::now();
        // Delivers an event that waits.
        self.change(|_| ());
        let settings = self.current();
        let mut machine = lock(&self.machine);
        let (counts, least) = machine.counts(&settings, &self.cursor, now);
        let held_closed = machine.is_held_closed(&settings, counts);
        let rejected = self.rejected();
        let enough = counts.calls >= least;
        let rate = |part| enough.then(|| f64::from(part) / f64::from(counts.calls));
        // The calls before an opening stay in view.
        let window_time = (machine.state != CircuitState::Open).then_some(now);
        CircuitSnapshot {
            state: machine.state,
            open_for: machine.until.map(|until| until.since(now)),
            reopened: machine.extra.reopened,
            unstable_for: machine.unstable_for(now),
            recovering_for: machine.extra.recovery.and_then(|recovery| recovery.remaining(now)),
            consecutive_failures: machine.consecutive_failures,
            calls: counts.calls,
            failures: counts.failures,
            slow_calls: counts.slow,
            failure_rate: rate(counts.failures),
            slow_rate: rate(counts.slow),
            rejected,
            rejected_in_state: rejected.saturating_sub(machine.extra.rejected_before),
            held_closed,
            held_openings: machine.extra.held_openings,
            cause: self.cause.text().map(|text| text.as_ref().to_owned()),
            window: machine.slices(settings.span, &self.cursor, window_time),
        }
    }

    /// Restores the state of a snapshot: the state with its remaining times, the number of
    /// reopenings, the failures in a row, the window, and the cause of the opening.
    ///
    /// A breaker with another window takes over as many calls as its window holds. The totals since
    /// the creation of the breaker stay.
    pub fn restore(&self, snapshot: &CircuitSnapshot) {
        let (now, settings) = (clock::now(), self.current());
        let generation = self.change(|machine| {
            machine.restore(&settings, snapshot, now);
            machine.generation
        });
        // The change of state has emptied the cursor of the window.
        self.change(|machine| {
            if machine.generation == generation {
                machine.refill(&settings, &self.cursor, now, &snapshot.window);
            }
        });
        if let (Some(cause), CircuitState::Open | CircuitState::HalfOpen) =
            (&snapshot.cause, snapshot.state)
        {
            self.set_cause(generation, Some(cause.clone()));
        }
    }

    /// Opens the breaker, as too many failures do. For health checks and alerts. If already open,
    /// the open time starts again. No effect on a breaker that was
    /// [forced open](Self::force_open) or [disabled](Self::disable).
    pub fn trip(&self) {
        let settings = self.current();
        self.change(|machine| machine.trip(&settings, clock::now()));
    }

    /// Admits trial calls now, if the breaker is open or [forced open](Self::force_open). For a
    /// known repair. No effect in other states.
    pub fn probe(&self) {
        self.change(|machine| {
            if matches!(machine.state, CircuitState::Open | CircuitState::ForcedOpen) {
                machine.half_open(MANUAL);
            }
        });
    }

    /// Rejects all calls until manual control ends the state: [`force_close`](Self::force_close),
    /// [`reset`](Self::reset) or [`probe`](Self::probe). Outcomes, time, [`trip`](Self::trip) and
    /// decisions of other processes do not.
    pub fn force_open(&self) {
        self.force(CircuitState::ForcedOpen, None);
    }

    /// Closes the breaker from any state and clears the counters. No effect on a closed breaker.
    pub fn force_close(&self) {
        self.change(|machine| {
            if machine.state != CircuitState::Closed {
                machine.enter_cleared(CircuitState::Closed, MANUAL);
            }
        });
    }

    /// Admits all calls without counting, until manual control ends the state:
    /// [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub fn disable(&self) {
        self.force(CircuitState::Disabled, None);
    }

    /// Returns to the initial state: closed, with cleared counters. Running calls no longer count.
    pub fn reset(&self) {
        self.change(|machine| machine.enter_cleared(CircuitState::Closed, MANUAL));
    }

    /// Enters a forced state, at most for `time`; afterwards the breaker is closed.
    pub(super) fn force(&self, state: CircuitState, time: Option<Duration>) {
        let until = time.map(|time| clock::now().plus(time));
        self.change(|machine| {
            machine.enter_cleared(state, MANUAL);
            machine.until = until;
        });
    }

    /// Publishes the state for the fast paths again.
    pub(super) fn republish(&self) {
        self.change(|_| ());
    }
}

impl KeyState for CircuitBreaker {
    /// A closed breaker without a failure in view is stale: an eviction loses successes only. In
    /// any other state the breaker is stale once the last failure is older than the window and the
    /// open time. A manual state never becomes stale.
    fn is_stale(&self, now: Timestamp) -> bool {
        // Closed, without a window and without a failure: known without the lock.
        if self.is_idle() {
            return true;
        }
        let settings = self.last();
        let mut machine = lock(&self.machine);
        if matches!(machine.state, CircuitState::ForcedOpen | CircuitState::Disabled) {
            return machine.until.is_some_and(|until| until <= now);
        }
        let is_closed = machine.state == CircuitState::Closed && machine.consecutive_failures == 0;
        // Read only where necessary: the search for a stale key reads the memory of many breakers.
        let mut is_new = || {
            let (counts, _) = machine.counts(&settings, &self.cursor, now);
            // A breaker that closed a moment ago still admits a part of the calls, or grows faster.
            counts.failures == 0 && counts.slow == 0 && machine.unstable_for(now).is_none()
        };
        is_closed && is_new() || machine.is_abandoned(&settings, now)
    }
}

impl KeyedPolicy for CircuitBreaker {
    type PerKey = Self;
    type Common = ();

    fn per_key(self, _: &OnceLock<()>) -> Self {
        self
    }

    #[cfg(not(resilience_loom))]
    fn or_name(self, name: &'static str) -> Self {
        let depth = self.figures.depth;
        self.at(name, depth)
    }

    /// No model uses the name of a breaker with a key.
    #[cfg(resilience_loom)]
    fn or_name(self, _: &'static str) -> Self {
        self
    }

    fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>) {
        (&mut self.figures, &mut self.key_label)
    }

    fn joined(self, group: &Arc<KeyGroup>) -> Self {
        if self.settings.max_open.is_some() {
            let membership = Some(Membership::new(group));
            lock(&self.machine).extra.change().membership = membership;
        }
        self
    }
}
