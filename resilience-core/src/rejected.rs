//! Calls that were turned away in this process, before or instead of the body.

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::classify::{Classify, Effect, FailureClass};
use crate::log;
use crate::outcome::Outcome;

/// A call that an attribute turned away: the circuit is open, the bulkhead full, the rate used up, the
/// time over, or an idempotency key in the way.
///
/// What each kind means to whoever might repeat the call:
///
/// | kind | [`FailureKind`](crate::FailureKind) | [`Effect`] | [`retry_after`](Self::retry_after) | repeated by `#[retry]` |
/// |---|---|---|---|---|
/// | [`CircuitOpen`](RejectedKind::CircuitOpen) | transient | no | the time until it lets a call through | with `on_rejection = "wait"` |
/// | [`BulkheadFull`](RejectedKind::BulkheadFull) | transient | no | none: the backoff decides | with `on_rejection = "wait"` |
/// | [`RateLimited`](RejectedKind::RateLimited) | throttled | no | the time until the next permit | with `on_rejection = "wait"` |
/// | [`TimedOut`](RejectedKind::TimedOut) | transient | maybe | none | yes, where the call is idempotent |
/// | [`InFlight`](IdempotencyRejection::InFlight) | throttled | no | the rest of the other call's lease | with `on_rejection = "wait"` |
/// | [`StoreUnavailable`](IdempotencyRejection::StoreUnavailable) | throttled | no | none: the backoff decides | yes |
/// | [`LeaseLost`](IdempotencyRejection::LeaseLost) | transient | maybe | none | yes, where the call is idempotent |
/// | [`MissingKey`](IdempotencyRejection::MissingKey), [`InvalidKey`](IdempotencyRejection::InvalidKey), [`KeyReused`](IdempotencyRejection::KeyReused) | permanent | no | none | no |
/// | [`OutcomeUnknown`](IdempotencyRejection::OutcomeUnknown) | permanent | maybe | none | no |
/// | [`Undecodable`](IdempotencyRejection::Undecodable), [`NotStored`](IdempotencyRejection::NotStored) | permanent | done | none | no |
///
/// Why it was turned away, where there is more to say, is its [`source`](Error::source).///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use resilience::{Classify, FailureKind, Rejected, RejectedKind, Effect};
///
/// let after = Some(Duration::from_secs(2));
/// let rejected = Rejected::new(RejectedKind::RateLimited, "payments", after);
/// assert_eq!(rejected.to_string(), "payments: rate limit reached; retry after 2s");
/// let class = rejected.classify();
/// assert_eq!((class.kind, class.effect, class.after), (FailureKind::Throttled, Effect::NotSent, after));
/// ```
#[derive(Clone, Debug)]
pub struct Rejected {
    kind: RejectedKind,
    name: &'static str,
    /// The limit of a call that timed out; for the others, when to come back.
    time: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Equal in all but their sources.
impl PartialEq for Rejected {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.name, self.time) == (other.kind, other.name, other.time)
    }
}

impl Eq for Rejected {}

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
    /// An idempotent call was rejected for its key, its record or its store.
    Idempotency(IdempotencyRejection),
}

/// The reason why an idempotent call was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdempotencyRejection {
    /// A call that runs once for each key came without one.
    MissingKey,
    /// Its key cannot be one.
    InvalidKey,
    /// Its key was used before, for something else.
    KeyReused,
    /// Another call with its key is running.
    InFlight,
    /// Another call with its key has run and never said how it ended.
    OutcomeUnknown,
    /// It was taken for dead while it ran, and another call with its key is running now.
    LeaseLost,
    /// It has run before, and what came of it cannot be read.
    Undecodable,
    /// It has run before, and what came of it was not stored: too long, or not meant to be.
    NotStored,
    /// The store of idempotency records did not answer.
    StoreUnavailable,
}

impl From<IdempotencyRejection> for RejectedKind {
    fn from(reason: IdempotencyRejection) -> Self {
        Self::Idempotency(reason)
    }
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
        Self { kind, name, time, source: None }
    }

    /// A call that was dropped after `limit`.
    #[must_use]
    pub const fn timed_out(name: &'static str, limit: Duration) -> Self {
        Self { kind: RejectedKind::TimedOut, name, time: Some(limit), source: None }
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
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
    fn classify(&self) -> FailureClass {
        self.kind.class(self.retry_after())
    }
}

impl RejectedKind {
    pub(crate) const fn class(self, retry_after: Option<Duration>) -> FailureClass {
        let class = match self {
            Self::CircuitOpen | Self::BulkheadFull => FailureClass::transient(),
            Self::RateLimited => FailureClass::throttled(None),
            Self::TimedOut => return FailureClass::transient(),
            Self::Idempotency(reason) => return reason.class(retry_after),
        };
        class.effect(Effect::NotSent).rejection(retry_after)
    }
}

impl IdempotencyRejection {
    /// Returns the word of the reason in logs and counters, such as `"mismatch"` for
    /// [`KeyReused`](Self::KeyReused).
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::MissingKey => "missing_key",
            Self::InvalidKey => "invalid_key",
            Self::KeyReused => "mismatch",
            Self::InFlight => "in_flight",
            Self::OutcomeUnknown => "interrupted",
            Self::LeaseLost => "lease_lost",
            Self::Undecodable => "undecodable",
            Self::NotStored => "not_stored",
            Self::StoreUnavailable => "unavailable",
        }
    }

    const fn class(self, retry_after: Option<Duration>) -> FailureClass {
        match self {
            Self::InFlight => {
                FailureClass::throttled(None).effect(Effect::NotSent).rejection(retry_after)
            }
            Self::MissingKey | Self::InvalidKey | Self::KeyReused => {
                FailureClass::permanent().effect(Effect::NotSent)
            }
            Self::LeaseLost => FailureClass::transient(),
            Self::OutcomeUnknown => FailureClass::permanent(),
            Self::Undecodable | Self::NotStored => {
                FailureClass::permanent().effect(Effect::Applied)
            }
            // The store failed, so no protection was at work.
            Self::StoreUnavailable => FailureClass::throttled(retry_after).effect(Effect::NotSent),
        }
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
    note = "if `{Self}` is your own, give it a variant for that, `Rejected(resilience::Rejected)`, and add `impl From<resilience::Rejected> for {Self} {{ fn from(rejected: resilience::Rejected) -> Self {{ Self::Rejected(rejected) }} }}`, or `#[from]` on the variant under `thiserror`",
    note = "if `{Self}` is a type of another crate, say in the attribute how it is made: `error = |rejected| …`, which is `error = |rejected| rejected.to_string()` for a `String`"
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
pub fn reject<O: Outcome<Err: FromRejected>>(rejected: Rejected) -> O {
    reject_with(rejected, FromRejected::from_rejected)
}

/// What a call returns that was turned away, by a conversion of the user's.
#[cold]
pub fn reject_with<O: Outcome>(rejected: Rejected, error: impl FnOnce(Rejected) -> O::Err) -> O {
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
            Self::Idempotency(reason) => return reason.fmt(f),
            Self::CircuitOpen => "circuit open",
            Self::BulkheadFull => "bulkhead full",
            Self::RateLimited => "rate limit reached",
            Self::TimedOut => "timed out",
        })
    }
}

impl fmt::Display for IdempotencyRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissingKey => "idempotency key missing",
            Self::InvalidKey => "idempotency key invalid",
            Self::KeyReused => "idempotency key used before for another call",
            Self::InFlight => "another call with this idempotency key is running",
            Self::OutcomeUnknown => {
                "the outcome of an earlier call with this idempotency key is unknown"
            }
            Self::LeaseLost => "taken over by another call with this idempotency key",
            Self::Undecodable => "the stored outcome cannot be read",
            Self::NotStored => "it has run before, and its outcome was not stored",
            Self::StoreUnavailable => "the idempotency store is unavailable",
        })
    }
}

impl Error for Rejected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
