//! A breaker in somebody's hand: figures, and states that are set.

use core::sync::atomic::Ordering::Relaxed;

use super::machine::Machine;
use super::{CircuitBreaker, CircuitSnapshot, CircuitState};
use crate::clock;
use crate::keyed::Evictable;
use crate::sync::lock;

/// By hand, and for a page of figures.
impl CircuitBreaker {
    /// Where it stands. An open breaker stays open until a call comes after its time.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        lock(&self.machine).state
    }

    /// Where it stands, and what it has in view.
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

    /// Takes up the state of a snapshot: where it stood, for how much longer it is open, how often it
    /// has opened again, and the run of failures. The window starts empty.
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

    /// Opens now, as too many failures would: for a health check or an alert that knows. Where it is
    /// open already, its time starts anew.
    pub fn trip(&self) {
        self.change(|machine| machine.trip(&self.settings, clock::now()));
    }

    /// Lets probes through now, where it is open: after a repair that is known of. Nothing happens
    /// in any other state.
    pub fn probe(&self) {
        self.change(|machine| {
            if matches!(machine.state, CircuitState::Open | CircuitState::ForcedOpen) {
                machine.half_open();
            }
        });
    }

    /// Turns calls away until [`force_close`](Self::force_close) or [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.change(|machine| machine.enter_cleared(CircuitState::ForcedOpen));
    }

    /// Closes now, from whatever state, with nothing counted; closed already, it is left as it is.
    pub fn force_close(&self) {
        self.change(|machine| {
            if machine.state != CircuitState::Closed {
                machine.close();
            }
        });
    }

    /// Lets every call through and counts nothing, until [`force_close`](Self::force_close) or
    /// [`reset`](Self::reset).
    pub fn disable(&self) {
        self.change(|machine| machine.enter_cleared(CircuitState::Disabled));
    }

    /// As at the start: closed, with nothing counted. Outcomes of calls under way change nothing.
    pub fn reset(&self) {
        self.change(Machine::close);
    }

    /// Says anew what the fast paths see.
    pub(super) fn republish(&self) {
        self.change(|_| ());
    }
}

impl Evictable for CircuitBreaker {
    /// Whether it is closed, and has no failure in view: nothing but successes would be forgotten.
    fn is_pristine(&self) -> bool {
        let mut machine = lock(&self.machine);
        let (counts, _) = machine.counts(&self.settings, &self.cursor, clock::now);
        machine.state == CircuitState::Closed
            && machine.consecutive_failures == 0
            && counts.failures == 0
            && counts.slow == 0
    }
}
