//! Events for hooks and logs.

use core::fmt;
use core::time::Duration;

use crate::circuit_breaker::StateChange;
use crate::classify::FailureClass;
use crate::registry::SourceLocation;
use crate::rejected::Rejected;

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
    /// The outermost attribute of the function, or the place that made the policy.
    pub location: SourceLocation,
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
    /// The outermost attribute of the function, or the place that made the policy.
    pub location: SourceLocation,
}

/// A call that succeeded after at least one retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryEvent {
    /// The name of the function or policy.
    pub name: &'static str,
    /// The number of attempts made.
    pub attempt: u32,
    /// The maximum number of attempts; `None` is unlimited.
    pub attempts: Option<u32>,
    /// The time since the call, or, without a `deadline`, since the first failure.
    pub elapsed: Duration,
    /// The outermost attribute of the function, or the place that made the policy.
    pub location: SourceLocation,
}

/// A failure that a fallback replaces. Passed to `on_fallback` before the replacement is made.
#[derive(Debug)]
#[non_exhaustive]
pub struct FallbackEvent<'a, E: ?Sized> {
    /// The name of the function.
    pub name: &'static str,
    /// The error; `None` if `on_ok` declined a value.
    pub error: Option<&'a E>,
    /// The class of the failure: from `on` or `on_ok`, or, for a predicate that returns `bool`,
    /// from the error's own `Classify`.
    pub class: FailureClass,
    /// The reason for the fallback.
    pub reason: FallbackReason,
    /// The age of the last good value; `None` for another replacement.
    pub age: Option<Duration>,
    /// The outermost attribute of the function, or the place that made the policy.
    pub location: SourceLocation,
}

/// The reason for a fallback. [`as_str`](Self::as_str) is the label for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FallbackReason {
    /// The function returned an error.
    Error,
    /// A policy of this process rejected the call, and the class of the error says so.
    Rejected,
    /// `on_ok` declined the value of a success.
    Value,
}

impl FallbackReason {
    /// Returns a stable label: `error`, `rejected` or `value`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Rejected => "rejected",
            Self::Value => "value",
        }
    }
}

impl fmt::Display for FallbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A further attempt beside the first. Passed to `on_hedge` before the attempt starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeEvent {
    /// The name of the function or policy.
    pub name: &'static str,
    /// The number of attempts beside the first; 1 is the first hedge.
    pub hedge: u32,
    /// The reason for the attempt.
    pub cause: HedgeCause,
    /// The outermost attribute of the function, or the place that made the policy.
    pub location: SourceLocation,
}

/// The reason for a hedge. [`as_str`](Self::as_str) is the label for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HedgeCause {
    /// The other attempts have run for the delay.
    Delay,
    /// An attempt failed, and the failure is transient.
    Failure,
}

impl HedgeCause {
    /// Returns a stable label: `delay` or `failure`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Failure => "failure",
        }
    }
}

impl fmt::Display for HedgeCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An event of any policy in the process. Passed to the hooks of [`on_event`](crate::on_event).
///
/// An error is a text here, by `Display`, else by `Debug`; `None` for a policy without the
/// attribute, whose error type is unknown.
#[derive(Debug)]
#[non_exhaustive]
pub enum PolicyEvent<'a> {
    /// A failed attempt is followed by another attempt.
    Retry(RetryEvent<'a, str>),
    /// A call with retries ends in failure.
    GiveUp(GiveUpEvent<'a, str>),
    /// A call succeeded after a retry. Needs the feature `tracing` or `log`.
    Recovery(RecoveryEvent),
    /// A fallback replaces a failure.
    Fallback(FallbackEvent<'a, str>),
    /// A further attempt starts while the first still runs, or after its failure.
    Hedge(HedgeEvent),
    /// A circuit breaker, a bulkhead, a rate limit, a timeout or `#[idempotent]` rejects a call.
    Rejection(&'a Rejected),
    /// A policy in shadow mode admits a call that would be rejected otherwise.
    ShadowRejection(&'a Rejected),
    /// A circuit breaker changes its state.
    StateChange(&'a StateChange),
}

impl PolicyEvent<'_> {
    /// Returns the name of the function or policy.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Retry(event) => event.name,
            Self::GiveUp(event) => event.name,
            Self::Recovery(event) => event.name,
            Self::Fallback(event) => event.name,
            Self::Hedge(event) => event.name,
            Self::Rejection(rejected) | Self::ShadowRejection(rejected) => rejected.name(),
            Self::StateChange(change) => change.name,
        }
    }

    /// Returns the outermost attribute of the function, or the place that made the policy. `None`
    /// for a rejection, which knows the name only.
    #[must_use]
    pub const fn location(&self) -> Option<SourceLocation> {
        match self {
            Self::Retry(event) => Some(event.location),
            Self::GiveUp(event) => Some(event.location),
            Self::Recovery(event) => Some(event.location),
            Self::Fallback(event) => Some(event.location),
            Self::Hedge(event) => Some(event.location),
            Self::StateChange(change) => Some(change.location),
            Self::Rejection(_) | Self::ShadowRejection(_) => None,
        }
    }

    /// Returns the label of the key, for a policy with a state per key and a `key_label`.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Rejection(rejected) | Self::ShadowRejection(rejected) => rejected.key(),
            Self::StateChange(change) => change.key.as_deref(),
            Self::Retry(_)
            | Self::GiveUp(_)
            | Self::Recovery(_)
            | Self::Fallback(_)
            | Self::Hedge(_) => None,
        }
    }

    /// Returns a stable label of the kind of event: `retry`, `give_up`, `recovery`, `fallback`,
    /// `hedge`, `rejection`, `shadow_rejection` or `state_change`.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::GiveUp(_) => "give_up",
            Self::Recovery(_) => "recovery",
            Self::Fallback(_) => "fallback",
            Self::Hedge(_) => "hedge",
            Self::Rejection(_) => "rejection",
            Self::ShadowRejection(_) => "shadow_rejection",
            Self::StateChange(_) => "state_change",
        }
    }
}

impl<E: ?Sized> RetryEvent<'_, E> {
    /// Returns the event with another form of the error.
    pub(crate) fn with_error<'a, T: ?Sized>(&self, error: Option<&'a T>) -> RetryEvent<'a, T> {
        let Self { name, attempt, attempts, class, delay, delay_source, elapsed, location, .. } =
            *self;
        RetryEvent { name, attempt, attempts, error, class, delay, delay_source, elapsed, location }
    }
}

impl<E: ?Sized> GiveUpEvent<'_, E> {
    /// Returns the event with another form of the error.
    pub(crate) fn with_error<'a, T: ?Sized>(&self, error: Option<&'a T>) -> GiveUpEvent<'a, T> {
        let Self { name, attempt, attempts, class, reason, elapsed, location, .. } = *self;
        GiveUpEvent { name, attempt, attempts, error, class, reason, elapsed, location }
    }
}

impl<E: ?Sized> FallbackEvent<'_, E> {
    /// Returns the event with another form of the error.
    pub(crate) fn with_error<'a, T: ?Sized>(&self, error: Option<&'a T>) -> FallbackEvent<'a, T> {
        let Self { name, class, reason, age, location, .. } = *self;
        FallbackEvent { name, error, class, reason, age, location }
    }
}

/// The source of a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelaySource {
    /// The policy's backoff and jitter.
    Backoff,
    /// The server, by [`FailureClass::after`], or a circuit below that is open.
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
    /// The retry of an outer function repeats the call; see
    /// [`Nested::OuterOnly`](crate::Nested::OuterOnly).
    Nested,
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
    /// `body_not_replayable`, `deadline`, `retry_after`, `budget`, `rejected`, `nested`, `disabled`
    /// or `circuit_open`.
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
            Self::Nested => "nested",
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
            Self::Nested => "the retry of an outer function repeats the call",
            Self::Disabled => "retries are switched off",
            Self::CircuitOpen => "the circuit is open and would reject the next attempt",
        })
    }
}
