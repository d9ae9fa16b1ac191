//! The state of a machine from a snapshot, and the window from another window.

use super::Machine;
use crate::circuit_breaker::circuit_state::CircuitState;
use crate::circuit_breaker::cursor::Cursor;
use crate::circuit_breaker::on_demand::OnDemand;
use crate::circuit_breaker::recovery::Recovery;
use crate::circuit_breaker::settings::Settings;
use crate::circuit_breaker::snapshot::{ChangeReason, CircuitSnapshot, WindowSlice};
use crate::circuit_breaker::window::{Counts, Span};
use crate::clock::Timestamp;

impl Machine {
    /// Restores a snapshot, apart from the window.
    pub(in crate::circuit_breaker) fn restore(
        &mut self,
        settings: &Settings,
        snapshot: &CircuitSnapshot,
        now: Timestamp,
    ) {
        self.enter(snapshot.state, ChangeReason::Manual);
        self.clear();
        self.touched = Some(now);
        let extra = self.extra.change();
        extra.reopened = snapshot.reopened;
        self.consecutive_failures = snapshot.consecutive_failures;
        // The counts are those of the trial calls, unless they are those of the window.
        let counts_trials = snapshot.window.iter().all(|slice| slice.calls == 0);
        if counts_trials && snapshot.state != CircuitState::Closed {
            let CircuitSnapshot { calls, failures, slow_calls: slow, .. } = *snapshot;
            extra.trials.finished = Counts { calls, failures, slow };
        }
        match snapshot.state {
            CircuitState::Open => {
                let open_for = snapshot.open_for;
                let open_for =
                    open_for.unwrap_or_else(|| settings.nominal_open_time(snapshot.reopened));
                let until = now.plus(open_for);
                self.until = Some(until);
                self.count_as_open(settings, until);
            }
            CircuitState::Closed => {
                extra.recovery =
                    settings.recovery.zip(snapshot.recovering_for).map(|(length, rest)| {
                        Recovery::resume(now, length, rest, snapshot.recovery_credit)
                    });
                extra.stable_from = snapshot.unstable_for.map(|rest| now.plus(rest));
            }
            CircuitState::ForcedOpen | CircuitState::Disabled => {
                self.until = snapshot.open_for.map(|rest| now.plus(rest));
            }
            CircuitState::HalfOpen => {}
        }
    }

    /// Moves the calls in view into a window of another length.
    pub(in crate::circuit_breaker) fn rewindow(
        &mut self,
        old: Span,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
    ) {
        let at = (self.state != CircuitState::Open).then_some(now);
        let slices = self.slices(old, cursor, at);
        self.window = OnDemand::new();
        cursor.reset(self.generation);
        self.refill(settings, cursor, now, &slices);
    }

    /// Returns the calls in view at `now`, or as of the last update, oldest first.
    pub(in crate::circuit_breaker) fn slices(
        &mut self,
        span: Span,
        cursor: &Cursor,
        now: Option<Timestamp>,
    ) -> Vec<WindowSlice> {
        self.window.changed().map_or_else(Vec::new, |window| window.slices(span, cursor, now))
    }

    /// Fills an empty window with the calls of another window, oldest first.
    pub(in crate::circuit_breaker) fn refill(
        &mut self,
        settings: &Settings,
        cursor: &Cursor,
        now: Timestamp,
        slices: &[WindowSlice],
    ) {
        let Settings { span, min_calls, .. } = *settings;
        if span != Span::None && !slices.is_empty() {
            self.window.change().refill(span, min_calls, cursor, now, slices);
        }
    }
}
