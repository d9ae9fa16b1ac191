//! What happened, as data, for hooks and logs.

use core::fmt;
use core::time::Duration;

use crate::classify::FailureClass;

/// A failed attempt that will be repeated after a wait. Handed to `on_retry` before the wait.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetryEvent<'a, E: ?Sized> {
    /// The name of the function or policy.
    pub name: &'static str,
    /// The number of the attempt that failed; 1 is the first call.
    pub attempt: u32,
    /// How many attempts are allowed in all; `None` is unlimited.
    pub attempts: Option<u32>,
    /// What failed; `None` where a success meant "not yet" (`on_ok`).
    pub error: Option<&'a E>,
    /// What the failure was taken for.
    pub class: FailureClass,
    /// The wait that follows.
    pub delay: Duration,
    /// Who chose the wait.
    pub delay_source: DelaySource,
    /// The time since the call, or, without a `deadline`, since its first failure.
    pub elapsed: Duration,
}

/// A call that ends in failure. Handed to `on_give_up` before the last outcome is returned.
#[derive(Debug)]
#[non_exhaustive]
pub struct GiveUpEvent<'a, E: ?Sized> {
    /// The name of the function or policy.
    pub name: &'static str,
    /// How many attempts were made.
    pub attempt: u32,
    /// How many attempts are allowed in all; `None` is unlimited.
    pub attempts: Option<u32>,
    /// What failed last; `None` where a success meant "not yet" (`on_ok`).
    pub error: Option<&'a E>,
    /// What the last failure was taken for. Its `after` is the time the server asked for.
    pub class: FailureClass,
    /// Why there is no further attempt.
    pub reason: StopReason,
    /// The time since the call, or, without a `deadline`, since its first failure.
    pub elapsed: Duration,
}

impl<E: ?Sized> RetryEvent<'_, E> {
    /// The same without the error.
    pub(crate) fn anonymous(&self) -> RetryEvent<'static, ()> {
        let Self { name, attempt, attempts, class, delay, delay_source, elapsed, .. } = *self;
        RetryEvent { name, attempt, attempts, error: None, class, delay, delay_source, elapsed }
    }
}

impl<E: ?Sized> GiveUpEvent<'_, E> {
    /// The same without the error.
    pub(crate) fn anonymous(&self) -> GiveUpEvent<'static, ()> {
        let Self { name, attempt, attempts, class, reason, elapsed, .. } = *self;
        GiveUpEvent { name, attempt, attempts, error: None, class, reason, elapsed }
    }
}

/// Who chose a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelaySource {
    /// The policy's backoff and jitter.
    Backoff,
    /// The other side, by [`FailureClass::after`].
    Server,
}

/// Why a call was not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The failure is [`Permanent`](crate::FailureKind::Permanent).
    Permanent,
    /// The call is not idempotent, and its effect could have happened.
    NotIdempotent,
    /// All attempts are used up.
    Attempts,
    /// The body of the request is a stream, or something else that cannot be sent a second time.
    BodyNotReplayable,
    /// The next attempt could not start before the deadline.
    Deadline,
    /// The other side asks for a longer wait than `max_retry_after`.
    RetryAfter,
    /// The retry budget is used up.
    Budget,
    /// An open circuit, a full bulkhead or a rate limit of this process turned the call away.
    Rejected,
    /// Retries are switched off; see [`set_enabled`](crate::set_enabled).
    Disabled,
}

impl fmt::Display for DelaySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Backoff => "backoff",
            Self::Server => "server",
        })
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
        })
    }
}
