//! The public view of a breaker: state changes and snapshots.

use core::fmt;
use core::time::Duration;

use super::machine::CircuitState;

/// A change of a breaker's state. Passed to `on_state_change`, and logged at WARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateChange {
    /// The name of the function or breaker.
    pub name: &'static str,
    /// The state before.
    pub from: CircuitState,
    /// The state after.
    pub to: CircuitState,
    /// The open time, if the breaker opened for a limited time.
    pub open_for: Option<Duration>,
    /// Whether another process made the decision; see [`shared`](super::CircuitBreaker::shared).
    pub remote: bool,
}

/// A snapshot of state and counters, for dashboards and for restoring a breaker in another
/// process.
///
/// Build your own from `CircuitSnapshot::default()`, the snapshot of a new, closed breaker.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// The current state.
    pub state: CircuitState,
    /// The remaining open time.
    pub open_for: Option<Duration>,
    /// How often the breaker has opened again since the last time it was closed.
    pub reopened: u32,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// The calls in the window, or the finished trial calls. Always 0 without a window.
    pub calls: u32,
    /// The failures among `calls`.
    pub failures: u32,
    /// The slow calls among `calls`.
    pub slow_calls: u32,
    /// `failures` divided by `calls`; `None` below `min_calls`.
    pub failure_rate: Option<f64>,
    /// `slow_calls` divided by `calls`; `None` below `min_calls`.
    pub slow_rate: Option<f64>,
    /// Calls rejected since the breaker last opened.
    pub rejected: u64,
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::Disabled => "disabled",
        })
    }
}
