//! What a breaker tells about itself.

use core::fmt;
use core::time::Duration;

use super::machine::CircuitState;

/// A change of a breaker's state. Handed to `on_state_change`, and told at WARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateChange {
    /// The name of the function or breaker.
    pub name: &'static str,
    /// Where it stood.
    pub from: CircuitState,
    /// Where it stands.
    pub to: CircuitState,
    /// How long it stays open, where it has opened for a time.
    pub open_for: Option<Duration>,
    /// Whether another process has decided it, with which the breaker is
    /// [`shared`](super::CircuitBreaker::shared).
    pub remote: bool,
}

/// Where a breaker stands and what it has in view: for a page of figures, and to take its state up
/// again in another process.
///
/// A value of your own starts from `CircuitSnapshot::default()`, which is a closed breaker that has
/// seen nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// Where it stands.
    pub state: CircuitState,
    /// How long it stays open from now on.
    pub open_for: Option<Duration>,
    /// How often it has opened again since it was last closed.
    pub reopened: u32,
    /// Failures without a success between them.
    pub consecutive_failures: u32,
    /// The calls in the window, or the probes that have ended. Without a window none are counted.
    pub calls: u32,
    /// The failures among them.
    pub failures: u32,
    /// The slow ones among them.
    pub slow_calls: u32,
    /// `failures` of `calls`; none before `min_calls` have been seen.
    pub failure_rate: Option<f64>,
    /// `slow_calls` of `calls`; none before `min_calls` have been seen.
    pub slow_rate: Option<f64>,
    /// Calls that were turned away since it last opened.
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
