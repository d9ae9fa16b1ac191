//! Events for hooks and logs.

use core::fmt;
use core::time::Duration;

use crate::classify::FailureClass;

/// A failed attempt with a retry after a delay. Passed to `on_retry` before the delay.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryEvent<'a, E: ?Sized> {
    /// The name of the function or policy.
    pub name: &'static str,
    /// The number of the attempt that failed; 1 is the first call.
    pub attempt: u32,
    /// The maximum number of attempts; `None` is unlimited.
    pub attempts: Option<u32>,
    /// The error; `None` if `on_ok` asked for the retry of a value.
    pub error: Option<&'a E>,
    /// The class of the failure.
    pub class: FailureClass,
    /// The delay before the retry.
    pub delay: Duration,
    /// The source of the delay.
    pub delay_source: DelaySource,
    /// The time since the call, or, without a `deadline`, since the first failure.
    pub elapsed: Duration,
}

/// A call that ends in failure. Passed to `on_give_up` before the last outcome is returned.
#[derive(Debug)]
#[non_exhaustive]
pub struct GiveUpEvent<'a, E: ?Sized> {
    /// The name of the function or policy.
    pub name: &'static str,
    /// The number of attempts made. An attempt that a policy of this process rejected does not
    /// count.
    pub attempt: u32,
    /// The maximum number of attempts; `None` is unlimited.
    pub attempts: Option<u32>,
    /// The last error; `None` if `on_ok` asked for the retry of a value.
    pub error: Option<&'a E>,
    /// The class of the last failure. `after` is the delay that the server asked for.
    pub class: FailureClass,
    /// The reason for giving up.
    pub reason: StopReason,
    /// The time since the call, or, without a `deadline`, since the first failure.
    pub elapsed: Duration,
}

impl<E: ?Sized> RetryEvent<'_, E> {
    /// Returns the event without the error.
    pub(crate) fn anonymous(&self) -> RetryEvent<'static, ()> {
        let Self { name, attempt, attempts, class, delay, delay_source, elapsed, .. } = *self;
        RetryEvent { name, attempt, attempts, error: None, class, delay, delay_source, elapsed }
    }
}

impl<E: ?Sized> GiveUpEvent<'_, E> {
    /// Returns the event without the error.
    pub(crate) fn anonymous(&self) -> GiveUpEvent<'static, ()> {
        let Self { name, attempt, attempts, class, reason, elapsed, .. } = *self;
        GiveUpEvent { name, attempt, attempts, error: None, class, reason, elapsed }
    }
}

/// The source of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelaySource {
    /// The policy's backoff and jitter.
    Backoff,
    /// The server, by [`FailureClass::after`].
    Server,
}

/// The reason for giving up.
///
/// A `match` needs an arm for further reasons. [`as_str`](Self::as_str) is the label for metrics
/// and the names of events, and `Display` is a sentence for people.
///
/// ```
/// use resilience::{GiveUpEvent, StopReason};
///
/// fn event_name<E>(event: &GiveUpEvent<'_, E>) -> &'static str {
///     match event.reason {
///         StopReason::Permanent | StopReason::NotIdempotent => "Export.Failed.NonRetryable",
///         StopReason::Deadline => "Export.Failed.DeadlineExceeded",
///         _ => "Export.Failed.Exhausted",
///     }
/// }
/// # let _ = event_name::<()>;
/// assert_eq!(StopReason::Attempts.as_str(), "attempts");
/// assert_eq!(StopReason::Attempts.to_string(), "all attempts are used up");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The failure is [`Permanent`](crate::FailureKind::Permanent).
    Permanent,
    /// The call is not idempotent, and the side effect may have been applied.
    NotIdempotent,
    /// All attempts are used up.
    Attempts,
    /// The request body cannot be sent again, for example a stream.
    BodyNotReplayable,
    /// The next attempt could not start before the deadline.
    Deadline,
    /// The server asks for a longer delay than `max_retry_after`.
    RetryAfter,
    /// The retry budget is used up.
    Budget,
    /// A policy of this process rejected the call: an open circuit, a full bulkhead or a rate
    /// limit.
    Rejected,
    /// Retries are switched off; see [`set_enabled`](crate::set_enabled).
    Disabled,
    /// The circuit below is open, and would reject the next attempt.
    CircuitOpen,
}

impl fmt::Display for DelaySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backoff => "backoff",
            Self::Server => "server",
        })
    }
}

impl StopReason {
    /// Returns a stable label in lower case: `permanent`, `not_idempotent`, `attempts`,
    /// `body_not_replayable`, `deadline`, `retry_after`, `budget`, `rejected`, `disabled` or
    /// `circuit_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::NotIdempotent => "not_idempotent",
            Self::Attempts => "attempts",
            Self::BodyNotReplayable => "body_not_replayable",
            Self::Deadline => "deadline",
            Self::RetryAfter => "retry_after",
            Self::Budget => "budget",
            Self::Rejected => "rejected",
            Self::Disabled => "disabled",
            Self::CircuitOpen => "circuit_open",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Permanent => "the failure is permanent",
            Self::NotIdempotent => "the call is not idempotent and may have been applied",
            Self::Attempts => "all attempts are used up",
            Self::BodyNotReplayable => "the body of the request cannot be sent again",
            Self::Deadline => "the next attempt could not start before the deadline",
            Self::RetryAfter => "the server asks for a longer wait than is allowed",
            Self::Budget => "the retry budget is used up",
            Self::Rejected => "the call was rejected locally",
            Self::Disabled => "retries are switched off",
            Self::CircuitOpen => "the circuit is open and would reject the next attempt",
        })
    }
}
