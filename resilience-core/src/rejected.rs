//! Calls that were turned away in this process, before or instead of the body.

use core::fmt;
use core::time::Duration;

use crate::classify::{Class, Classify, Sent};

/// A call that an attribute turned away: the circuit is open, the bulkhead full, the rate used up, or
/// the time over.
///
/// What each kind means to whoever might repeat the call:
///
/// | kind | [`Kind`](crate::Kind) | [`Sent`] | [`retry_after`](Self::retry_after) | repeated by `#[retry]` |
/// |---|---|---|---|---|
/// | [`CircuitOpen`](RejectedKind::CircuitOpen) | transient | no | the time until it lets a call through | with `on_rejection = "wait"` |
/// | [`BulkheadFull`](RejectedKind::BulkheadFull) | transient | no | none: the backoff decides | with `on_rejection = "wait"` |
/// | [`RateLimited`](RejectedKind::RateLimited) | throttled | no | the time until the next permit | with `on_rejection = "wait"` |
/// | [`TimedOut`](RejectedKind::TimedOut) | transient | maybe | none | yes, where the call is idempotent |
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use resilience::{Classify, Kind, Rejected, RejectedKind, Sent};
///
/// let after = Some(Duration::from_secs(2));
/// let rejected = Rejected::new(RejectedKind::RateLimited, "payments", after);
/// assert_eq!(rejected.to_string(), "payments: rate limit reached; retry after 2s");
/// let class = rejected.classify();
/// assert_eq!((class.kind, class.sent, class.after), (Kind::Throttled, Sent::No, after));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    kind: RejectedKind,
    name: &'static str,
    retry_after: Option<Duration>,
}

/// What turned a call away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectedKind {
    /// The circuit breaker is open, or half-open with all its probes under way.
    CircuitOpen,
    /// As many calls as are allowed are running, and no place is left to wait.
    BulkheadFull,
    /// The permits of this period are used up.
    RateLimited,
    /// The call ran longer than it may, and was dropped.
    TimedOut,
}

impl Rejected {
    /// A rejection by something of your own: a limiter, a gate, a test.
    #[must_use]
    pub const fn new(
        kind: RejectedKind,
        name: &'static str,
        retry_after: Option<Duration>,
    ) -> Self {
        Self { kind, name, retry_after }
    }

    /// What turned the call away.
    #[must_use]
    pub const fn kind(&self) -> RejectedKind {
        self.kind
    }

    /// The name of the function or policy that did.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// When a call might be let through, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl Classify for Rejected {
    fn classify(&self) -> Class {
        let class = match self.kind {
            RejectedKind::CircuitOpen | RejectedKind::BulkheadFull => Class::transient(),
            RejectedKind::RateLimited => Class::throttled(None),
            RejectedKind::TimedOut => return Class::transient(),
        };
        Class { after: self.retry_after, is_rejection: true, ..class.sent(Sent::No) }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        match self.retry_after {
            Some(after) => write!(f, "; retry after {after:?}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RejectedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CircuitOpen => "circuit open",
            Self::BulkheadFull => "bulkhead full",
            Self::RateLimited => "rate limit reached",
            Self::TimedOut => "timed out",
        })
    }
}

impl core::error::Error for Rejected {}
