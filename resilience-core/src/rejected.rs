//! Calls that were turned away in this process, before or instead of the body.

use core::fmt;
use core::time::Duration;

use crate::classify::{Class, Classify, Sent};
use crate::log;
use crate::outcome::Outcome;

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
    /// The limit of a call that timed out; for the others, when to come back.
    time: Option<Duration>,
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
        let time = match kind {
            RejectedKind::TimedOut => None,
            _ => retry_after,
        };
        Self { kind, name, time }
    }

    /// A call that was dropped after `limit`.
    #[must_use]
    pub const fn timed_out(name: &'static str, limit: Duration) -> Self {
        Self { kind: RejectedKind::TimedOut, name, time: Some(limit) }
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
        match self.kind {
            RejectedKind::TimedOut => None,
            _ => self.time,
        }
    }

    /// How long a call that [timed out](RejectedKind::TimedOut) was allowed to run.
    #[must_use]
    pub const fn limit(&self) -> Option<Duration> {
        match self.kind {
            RejectedKind::TimedOut => self.time,
            _ => None,
        }
    }
}

impl Classify for Rejected {
    fn classify(&self) -> Class {
        self.kind.class(self.retry_after())
    }
}

impl RejectedKind {
    pub(crate) const fn class(self, retry_after: Option<Duration>) -> Class {
        let class = match self {
            Self::CircuitOpen | Self::BulkheadFull => Class::transient(),
            Self::RateLimited => Class::throttled(None),
            Self::TimedOut => return Class::transient(),
        };
        Class { after: retry_after, is_rejection: true, ..class.sent(Sent::No) }
    }
}

/// A failure that can say that a call was turned away.
///
/// Whatever is `From<Rejected>` has it, and so have the error types that take any error in, such as
/// `Box<dyn Error + Send + Sync>`; on an `Option` a rejection is `None`. There is nothing to
/// implement by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot say that a call was turned away: circuit open, bulkhead full, rate limit reached, timed out",
    label = "needs `From<resilience::Rejected>`",
    note = "give it a variant for that, `Rejected(resilience::Rejected)`, and add `impl From<resilience::Rejected> for {Self} {{ fn from(rejected: resilience::Rejected) -> Self {{ Self::Rejected(rejected) }} }}`, or `#[from]` on the variant under `thiserror`",
    note = "for an error type of another crate, write `error = |rejected| …` in the attribute"
)]
pub trait FromRejected {
    /// The failure that says so.
    fn from_rejected(rejected: Rejected) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        E::from(rejected)
    }
}

/// The failure of an `Option`.
impl FromRejected for () {
    #[inline]
    fn from_rejected(_: Rejected) -> Self {}
}

/// What a call returns that was turned away.
#[cold]
#[must_use]
pub fn turned_away<O: Outcome<Err: FromRejected>>(rejected: Rejected) -> O {
    turned_away_with(rejected, FromRejected::from_rejected)
}

/// What a call returns that was turned away, by a conversion of the user's.
#[cold]
pub fn turned_away_with<O: Outcome>(
    rejected: Rejected,
    error: impl FnOnce(Rejected) -> O::Err,
) -> O {
    log::rejected(&rejected);
    O::from_result(Err(error(rejected)))
}

impl From<Rejected> for std::io::Error {
    /// A timeout keeps its kind; anything else is [`Other`](std::io::ErrorKind::Other).
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected.kind {
            RejectedKind::TimedOut => std::io::ErrorKind::TimedOut,
            _ => std::io::ErrorKind::Other,
        };
        Self::new(kind, rejected)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.kind)?;
        match (self.kind, self.time) {
            (RejectedKind::TimedOut, Some(limit)) => write!(f, " after {limit:?}"),
            (_, Some(after)) => write!(f, "; retry after {after:?}"),
            (_, None) => Ok(()),
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
