//! Metrics and manual control of a breaker.

use core::time::Duration;

use super::definition::{Defined, View};
use super::snapshot::ChangeReason;
use super::{CircuitBreaker, CircuitSnapshot, CircuitState};
use crate::clock;
use crate::registry::Policy as _;
use crate::sync::lock;

const MANUAL: ChangeReason = ChangeReason::Manual;

/// Metrics and manual control.
impl<D: Defined> CircuitBreaker<D> {
    /// Returns the current state. An open breaker stays open until the first call after the open
    /// time. A state change that was caused by a panic is now delivered to the hook.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        let now = clock::now();
        self.view().change(|machine| machine.state_at(now))
    }

    /// Returns the state and the counters.
    #[must_use]
    pub fn snapshot(&self) -> CircuitSnapshot {
        let now = clock::now();
        // Delivers an event that waits.
        self.view().change(|_| ());
        let settings = self.view().current();
        let mut machine = lock(&self.state.machine);
        let (counts, least) = machine.counts(&settings, &self.state.cursor, now);
        let held_closed = machine.is_held_closed(&settings, counts);
        let rejected = self.rejected();
        let enough = counts.calls >= least;
        let rate = |part| enough.then(|| f64::from(part) / f64::from(counts.calls));
        let is_over = machine.state_at(now) != machine.state;
        // The calls before an opening stay in view.
        let recovery = machine.extra.recovery.filter(|recovery| recovery.remaining(now).is_some());
        let window_time = (machine.state != CircuitState::Open).then_some(now);
        CircuitSnapshot {
            state: machine.state_at(now),
            open_for: machine.until.map(|until| until.since(now)).filter(|_| !is_over),
            reopened: machine.extra.reopened,
            unstable_for: machine.unstable_for(now),
            recovering_for: recovery.and_then(|recovery| recovery.remaining(now)),
            recovery_credit: recovery.map_or(0.0, |recovery| recovery.credit()),
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
            cause: self.state.cause.text().map(|text| text.as_ref().to_owned()),
            window: machine.slices(settings.span, &self.state.cursor, window_time),
        }
    }

    /// Restores the state of a snapshot: the state with its remaining times, the number of
    /// reopenings, the failures in a row, the window, and the cause of the opening.
    ///
    /// A breaker with another window takes over as many calls as its window holds. The totals since
    /// the creation of the breaker stay.
    pub fn restore(&self, snapshot: &CircuitSnapshot) {
        let (now, settings) = (clock::now(), self.view().current());
        let generation = self.view().change(|machine| {
            machine.restore(&settings, snapshot, now);
            machine.generation
        });
        // The change of state has emptied the cursor of the window.
        self.view().change(|machine| {
            if machine.generation == generation {
                machine.refill(&settings, &self.state.cursor, now, &snapshot.window);
            }
        });
        // Without a cause too: a half-open breaker keeps the cause of its last opening.
        if matches!(snapshot.state, CircuitState::Open | CircuitState::HalfOpen) {
            self.view().set_cause(generation, snapshot.cause.clone());
        }
    }

    /// Opens the breaker, as too many failures do. For health checks and alerts. If already open,
    /// the open time starts again. No effect on a breaker that was
    /// [forced open](Self::force_open) or [disabled](Self::disable).
    pub fn trip(&self) {
        let settings = self.view().current();
        self.view().change(|machine| machine.trip(&settings, clock::now()));
    }

    /// Admits trial calls now, if the breaker is open or [forced open](Self::force_open). For a
    /// known repair. No effect in other states.
    pub fn probe(&self) {
        self.view().change(|machine| machine.probe(clock::now()));
    }

    /// Rejects all calls until manual control ends the state: [`force_close`](Self::force_close),
    /// [`reset`](Self::reset) or [`probe`](Self::probe). Outcomes, time, [`trip`](Self::trip) and
    /// decisions of other processes do not.
    pub fn force_open(&self) {
        self.view().force(CircuitState::ForcedOpen, None);
    }

    /// Closes the breaker from any state and clears the counters. A closed breaker keeps its
    /// counters, and ends a [`recovery`](Self::recovery). All calls are admitted at once.
    pub fn force_close(&self) {
        self.view().force_close();
    }

    /// Admits all calls without counting, until manual control ends the state:
    /// [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub fn disable(&self) {
        self.view().force(CircuitState::Disabled, None);
    }

    /// Returns to the initial state: closed, with cleared counters. Running calls no longer count.
    pub fn reset(&self) {
        self.view().reset();
    }
}

impl View<'_> {
    pub(super) fn force_close(self) {
        self.change(|machine| match machine.state {
            CircuitState::Closed => machine.end_recovery(),
            _ => machine.enter_cleared(CircuitState::Closed, MANUAL),
        });
    }

    pub(super) fn reset(self) {
        self.change(|machine| machine.enter_cleared(CircuitState::Closed, MANUAL));
    }

    /// Enters a forced state, at most for `time`; afterwards the breaker is closed.
    pub(super) fn force(self, state: CircuitState, time: Option<Duration>) {
        let until = time.map(|time| clock::now().plus(time));
        self.change(|machine| {
            machine.enter_cleared(state, MANUAL);
            machine.until = until;
        });
    }

    /// Publishes the state for the fast paths again.
    #[cold]
    #[inline(never)]
    pub(super) fn republish(self) {
        self.change(|_| ());
    }
}
