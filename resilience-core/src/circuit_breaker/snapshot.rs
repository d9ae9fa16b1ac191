//! The public view of a breaker: state changes and snapshots.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::sync::Arc;
use std::time::SystemTime;

use super::circuit_state::CircuitState;
use crate::classify::FailureKind;
use crate::registry::SourceLocation;

/// A change of a breaker's state. Passed to `on_state_change` and to the hooks of
/// [`on_event`](crate::on_event), received from [`circuit_changes`](crate::circuit_changes), and
/// logged at WARN.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use resilience::{ChangeReason, CircuitBreaker, FailureClass, FailureKind, StateChange};
///
/// let changes: Arc<Mutex<Vec<StateChange>>> = Arc::default();
/// let seen = Arc::clone(&changes);
/// let breaker = CircuitBreaker::new()
///     .failure_threshold(1)
///     .on_state_change_with(move |change| seen.lock().unwrap().push(change.clone()));
/// breaker.try_acquire()?.report(FailureClass::transient(), &"connection refused");
/// breaker.force_close();
///
/// let changes = changes.lock().unwrap();
/// assert_eq!(changes[0].reason, ChangeReason::Failure(FailureKind::Transient));
/// assert_eq!(changes[0].cause.as_deref(), Some("connection refused"));
/// assert_eq!(changes[1].reason, ChangeReason::Manual);
/// # Ok::<(), resilience::Rejected>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct StateChange {
    /// The name of the function or breaker.
    pub name: &'static str,
    /// The state before.
    pub from: CircuitState,
    /// The state after.
    pub to: CircuitState,
    /// The reason for the change.
    pub reason: ChangeReason,
    /// The text of the failure that opened the breaker, at most 1 kB. `None` for other reasons, and
    /// for a failure without a text.
    #[cfg_attr(feature = "serde", serde(serialize_with = "text"))]
    pub cause: Option<Arc<str>>,
    /// The label of the key, if the breaker serves one key and the attribute has a `key_label`.
    #[cfg_attr(feature = "serde", serde(serialize_with = "text"))]
    pub key: Option<Arc<str>>,
    /// The open time, if the breaker opened for a limited time.
    pub open_for: Option<Duration>,
    /// Whether the breaker only observes; see [`shadow`](super::CircuitBreaker::shadow).
    pub shadow: bool,
    /// The outermost attribute of the function, or the place that made the breaker.
    pub location: SourceLocation,
    /// The number of the change: 1 for the first change of the breaker, then one more each time.
    pub number: u64,
    /// The time of the change, by the clock of the system.
    pub at: SystemTime,
}

#[cfg(feature = "serde")]
#[expect(clippy::ref_option, reason = "the signature is that of serde")]
fn text<S: serde::Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(&text.as_deref(), serializer)
}

/// The reason for a [`StateChange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeReason {
    /// A failed call opened the breaker: an error or a value of this kind.
    Failure(FailureKind),
    /// A call that panicked opened the breaker.
    Panic,
    /// A cancelled call opened the breaker; see [`OnCancel::Failure`](super::OnCancel::Failure).
    Cancelled,
    /// Slow calls opened the breaker.
    SlowCalls,
    /// The open time is over, and a trial call started.
    OpenTimeOver,
    /// Successful trial calls closed the breaker.
    TrialCalls,
    /// Manual control, such as [`trip`](super::CircuitBreaker::trip) or
    /// [`reset`](super::CircuitBreaker::reset), or a restored snapshot.
    Manual,
    /// Another process made the decision; see [`shared`](super::CircuitBreaker::shared).
    Remote,
}

impl ChangeReason {
    /// Returns a stable label, such as `transient_failure`, `slow_calls` or `manual`: the label of
    /// the figure `resilience.circuit_breaker.transitions`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure(FailureKind::Transient) => "transient_failure",
            Self::Failure(FailureKind::Throttled) => "throttled_failure",
            Self::Failure(FailureKind::Permanent) => "permanent_failure",
            Self::Panic => "panic",
            Self::Cancelled => "cancelled",
            Self::SlowCalls => "slow_calls",
            Self::OpenTimeOver => "open_time_over",
            Self::TrialCalls => "trial_calls",
            Self::Manual => "manual",
            Self::Remote => "remote",
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ChangeReason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for ChangeReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failure(FailureKind::Transient) => "transient failure",
            Self::Failure(FailureKind::Throttled) => "throttled failure",
            Self::Failure(FailureKind::Permanent) => "permanent failure",
            Self::Panic => "panic",
            Self::Cancelled => "cancelled call",
            Self::SlowCalls => "slow calls",
            Self::OpenTimeOver => "open time over",
            Self::TrialCalls => "successful trial calls",
            Self::Manual => "manual control",
            Self::Remote => "other process",
        })
    }
}

/// A snapshot of state and counters, for dashboards and for restoring a breaker in another
/// process. The snapshot is complete: a restored breaker decides like the original.
///
/// Build your own from `CircuitSnapshot::default()`, the snapshot of a new, closed breaker. With
/// the feature `serde` a snapshot can be stored.
///
/// ```
/// use resilience::CircuitBreaker;
///
/// let breaker = || CircuitBreaker::new().failure_rate(0.5).count_window(10).min_calls(10);
/// let (old, new) = (breaker(), breaker());
/// for _ in 0..4 {
///     old.try_acquire()?.failure();
/// }
/// new.restore(&old.snapshot());
/// assert_eq!(new.snapshot(), old.snapshot());
/// # Ok::<(), resilience::Rejected>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct CircuitSnapshot {
    /// The current state.
    pub state: CircuitState,
    /// The remaining open time, or the rest of the time of a forced state, also of a disabled
    /// breaker.
    pub open_for: Option<Duration>,
    /// How often the breaker has opened again. The number returns to zero once the breaker was
    /// closed for as long as it was open; without
    /// [`max_reset_timeout`](super::CircuitBreaker::max_reset_timeout), as soon as it closes.
    pub reopened: u32,
    /// After closing: the time until `reopened` returns to zero.
    pub unstable_for: Option<Duration>,
    /// After closing: the time until all calls are admitted; see
    /// [`recovery`](super::CircuitBreaker::recovery).
    pub recovering_for: Option<Duration>,
    /// While recovering: the part of a call that the share has saved up, from 0 to 1. The next
    /// calls add their shares, and a whole call is admitted.
    pub recovery_credit: f64,
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
    /// Calls rejected since the creation of the breaker. The total never goes down, so a metric of
    /// type counter can show the total.
    pub rejected: u64,
    /// Calls rejected since the last change of state.
    pub rejected_in_state: u64,
    /// Whether [`max_open`](super::CircuitBreaker::max_open) alone keeps the breaker closed: the
    /// failures reach the limit, but too many other keys are open.
    pub held_closed: bool,
    /// How often `max_open` has kept the breaker closed: the failed or slow calls that would have
    /// opened the breaker since its creation.
    pub held_openings: u64,
    /// The text of the failure that opened the breaker, if known.
    pub cause: Option<String>,
    /// The calls in the window, oldest first.
    pub window: Vec<WindowSlice>,
}

/// Calls in the window of a breaker: a bucket of a window of time, or successive calls with equal
/// outcomes in a window of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[non_exhaustive]
pub struct WindowSlice {
    /// The time since the start of the bucket; zero in a window of calls.
    pub age: Duration,
    /// The number of calls.
    pub calls: u32,
    /// The failures among `calls`.
    pub failures: u32,
    /// The slow calls among `calls`.
    pub slow_calls: u32,
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

/// Reads the words of [`Display`](fmt::Display).
///
/// ```
/// use resilience::CircuitState;
///
/// assert_eq!("half-open".parse(), Ok(CircuitState::HalfOpen));
/// assert!("ajar".parse::<CircuitState>().is_err());
/// ```
impl FromStr for CircuitState {
    type Err = UnknownCircuitState;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(match word {
            "closed" => Self::Closed,
            "open" => Self::Open,
            "half-open" => Self::HalfOpen,
            "forced open" => Self::ForcedOpen,
            "disabled" => Self::Disabled,
            _ => return Err(UnknownCircuitState(())),
        })
    }
}

/// The error of a text that names no [`CircuitState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCircuitState(());

impl fmt::Display for UnknownCircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "unknown circuit state; write `closed`, `open`, `half-open`, `forced open` or \
             `disabled`",
        )
    }
}

impl core::error::Error for UnknownCircuitState {}
