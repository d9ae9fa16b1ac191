//! Calls that a policy of this process rejected, before or instead of the body.

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::sync::Arc;

use crate::classify::{Classify, Effect, FailureClass};
use crate::duration::Rounded;
use crate::error_sources::{error_sources, is_searched};
use crate::failure_text::KeptFailure;
use crate::keyed::KeyLabel;
use crate::log;
use crate::outcome::Outcome;

/// A call that an attribute rejected. The circuit is open, the bulkhead is full, the rate limit is
/// reached, the time is over, or the idempotency key prevents the call.
///
/// The classification of each kind; *wait* is `on_rejection = "wait"`:
///
/// | kind | [`FailureKind`] | [`Effect`] | [`retry_after`] | retried by `#[retry]` |
/// |---|---|---|---|---|
/// | [`CircuitOpen`] | transient | not sent | time until a trial call | only with *wait* |
/// | [`BulkheadFull`] | transient | not sent | none: the backoff decides | only with *wait* |
/// | [`RateLimited`] | throttled | not sent | time until the next permit | only with *wait* |
/// | [`TimedOut`] | transient | unknown | none | yes, if the call is idempotent |
/// | [`DeadlineExceeded`] | permanent | not sent | none | no |
/// | [`InFlight`] | throttled | not sent | rest of the other call's lease | only with *wait* |
/// | [`StoreUnavailable`] | throttled | not sent | none: the backoff decides | yes |
/// | [`Panicked`] | permanent | unknown | none | no |
/// | [`LeaseLost`] | transient | unknown | none | yes, if the call is idempotent |
/// | [`MissingKey`], [`InvalidKey`], [`KeyReused`] | permanent | not sent | none | no |
/// | [`OutcomeUnknown`] | permanent | unknown | none | no |
/// | [`Undecodable`], [`NotStored`] | permanent | applied | none | no |
///
/// [`TimedOut`] has the effect *not sent*, and says nothing about the dependency, if the time ended
/// in a queue of the same function, or between the attempts of a retry that waits for rejections.
///
/// [`StoreUnavailable`] has the effect *unknown* if the body has run and its outcome could not be
/// stored. `#[retry]` then repeats the call if the call is idempotent.
///
/// [`source`](Error::source) returns the cause of the rejection, if known. The process keeps the
/// failure of each open circuit, and of the last 1000 openings that have ended. Later a rejection
/// that was stored has no source any more.
///
/// ```
/// use core::time::Duration;
/// use resilience::{Classify, FailureKind, Rejected, RejectedKind, Effect};
///
/// let after = Some(Duration::from_secs(2));
/// let rejected = Rejected::new(RejectedKind::RateLimited, "payments", after);
/// assert_eq!(rejected.to_string(), "payments: rate limit reached; retry after 2s");
/// let class = rejected.classify();
/// assert_eq!((class.kind, class.after), (FailureKind::Throttled, after));
/// assert_eq!(class.effect, Effect::NotSent);
/// ```
///
/// [`FailureKind`]: crate::FailureKind
/// [`retry_after`]: Self::retry_after
/// [`CircuitOpen`]: RejectedKind::CircuitOpen
/// [`BulkheadFull`]: RejectedKind::BulkheadFull
/// [`RateLimited`]: RejectedKind::RateLimited
/// [`TimedOut`]: RejectedKind::TimedOut
/// [`Panicked`]: RejectedKind::Panicked
/// [`DeadlineExceeded`]: RejectedKind::DeadlineExceeded
/// [`InFlight`]: IdempotencyRejection::InFlight
/// [`StoreUnavailable`]: IdempotencyRejection::StoreUnavailable
/// [`LeaseLost`]: IdempotencyRejection::LeaseLost
/// [`MissingKey`]: IdempotencyRejection::MissingKey
/// [`InvalidKey`]: IdempotencyRejection::InvalidKey
/// [`KeyReused`]: IdempotencyRejection::KeyReused
/// [`OutcomeUnknown`]: IdempotencyRejection::OutcomeUnknown
/// [`Undecodable`]: IdempotencyRejection::Undecodable
/// [`NotStored`]: IdempotencyRejection::NotStored
#[derive(Clone, Debug)]
pub struct Rejected {
    kind: RejectedKind,
    /// The effect of the call, if other than the effect of the kind.
    effect: Option<Effect>,
    name: &'static str,
    /// The limit of a call that timed out; for the other kinds, the time until a retry.
    time: Time,
    /// The label of the key, if the policy has a state per key.
    key: Option<KeyLabel>,
    /// The failure that opened the circuit.
    cause: Option<KeptFailure>,
    /// Any other source; a thin pointer, because a rejection is moved several times.
    source: Option<Arc<Box<dyn Error + Send + Sync>>>,
}

/// A time of a rejection. Two words in any form.
#[derive(Clone, Copy, Debug)]
enum Time {
    Unknown,
    Known(Duration),
    /// A policy measures in nanoseconds. Few callers read the time, so only these divide.
    Nanos(u64),
}

impl Time {
    const fn new(time: Option<Duration>) -> Self {
        match time {
            Some(time) => Self::Known(time),
            None => Self::Unknown,
        }
    }

    const fn get(self) -> Option<Duration> {
        match self {
            Self::Unknown => None,
            Self::Known(time) => Some(time),
            Self::Nanos(nanos) => Some(Duration::from_nanos(nanos)),
        }
    }
}

/// The function that set the deadline that ended a call: a source, so that the rejections without a
/// deadline need no further field.
#[derive(Debug)]
struct DeadlineOf {
    set_by: &'static str,
    cause: Option<Arc<Box<dyn Error + Send + Sync>>>,
}

impl fmt::Display for DeadlineOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the deadline was set by {}", self.set_by)
    }
}

impl Error for DeadlineOf {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &***cause as _)
    }
}

/// Compares everything but the sources.
impl PartialEq for Rejected {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.effect, self.name, self.time.get(), &self.key, self.deadline_set_by())
            == (
                other.kind,
                other.effect,
                other.name,
                other.time.get(),
                &other.key,
                other.deadline_set_by(),
            )
    }
}

impl Eq for Rejected {}

/// The kind of a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectedKind {
    /// The circuit breaker is open, or half-open with all trial calls in progress, or admits a
    /// growing share of the calls after closing: `retry_after` is then the rest of the recovery.
    CircuitOpen,
    /// The maximum number of calls is running, and the queue is full, or the wait or the deadline
    /// of the call ended in the queue.
    BulkheadFull,
    /// The permits of this period are used up.
    RateLimited,
    /// The call exceeded the time limit and was dropped.
    TimedOut,
    /// The call waited for the outcome of a call with an equal key, and that call panicked.
    Panicked,
    /// The deadline of an outer function or of the client passed before the call started. The
    /// call was not sent.
    DeadlineExceeded,
    /// An idempotent call was rejected for its key, its record or its store.
    Idempotency(IdempotencyRejection),
}

/// The reason why an idempotent call was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdempotencyRejection {
    /// The call has no key, but the function runs once per key.
    MissingKey,
    /// The key is invalid.
    InvalidKey,
    /// The key was used before for a different call.
    KeyReused,
    /// Another call with the key is running.
    InFlight,
    /// An earlier call with the key ran, and the outcome is unknown.
    OutcomeUnknown,
    /// The lease expired while the call ran, and another call with the key has taken over.
    LeaseLost,
    /// The call has run before, and the stored outcome is unreadable.
    Undecodable,
    /// The call has run before, and the outcome was not stored: too long, or not meant to be
    /// stored.
    NotStored,
    /// The store of idempotency records did not answer. The body has not run, or its outcome could
    /// not be stored: [`classify`](Rejected::classify) returns the [`Effect`].
    StoreUnavailable,
}

impl From<IdempotencyRejection> for RejectedKind {
    fn from(reason: IdempotencyRejection) -> Self {
        Self::Idempotency(reason)
    }
}

impl Rejected {
    /// Creates a rejection by your own code: a limiter, a gate, a test.
    #[must_use]
    pub const fn new(
        kind: RejectedKind,
        name: &'static str,
        retry_after: Option<Duration>,
    ) -> Self {
        let time = match kind {
            RejectedKind::TimedOut => Time::Unknown,
            _ => Time::new(retry_after),
        };
        Self { kind, effect: None, name, time, key: None, cause: None, source: None }
    }

    /// Creates the rejection by a policy that may serve one key.
    #[inline]
    pub(crate) fn by_policy(
        kind: RejectedKind,
        name: &'static str,
        retry_after: Option<Duration>,
        key: Option<&KeyLabel>,
    ) -> Self {
        let (effect, time, key) = (None, Time::new(retry_after), key.cloned());
        Self { kind, effect, name, time, key, cause: None, source: None }
    }

    /// Creates the rejection by a rate limit, with the nanoseconds until a permit. Built in one
    /// step, because a limit rejects many calls: a reference for a later change of the effect would
    /// keep the rejection in memory.
    #[inline]
    pub(crate) fn by_rate_limit(
        name: &'static str,
        left: u64,
        key: Option<&KeyLabel>,
        effect: Option<Effect>,
    ) -> Self {
        let (kind, time, key) = (RejectedKind::RateLimited, Time::Nanos(left), key.cloned());
        Self { kind, effect, name, time, key, cause: None, source: None }
    }

    /// Creates the rejection by a breaker, with the nanoseconds until a trial call. Built in one
    /// step, because an open breaker rejects many calls.
    #[inline]
    pub(crate) fn by_breaker(
        name: &'static str,
        left: Option<u64>,
        key: Option<&KeyLabel>,
        cause: Option<KeptFailure>,
    ) -> Self {
        let (time, key) = (left.map_or(Time::Unknown, Time::Nanos), key.cloned());
        let (kind, effect) = (RejectedKind::CircuitOpen, None);
        Self { kind, effect, name, time, key, cause, source: None }
    }

    /// Creates the rejection of a call that was dropped after `limit`.
    #[must_use]
    pub const fn timed_out(name: &'static str, limit: Duration) -> Self {
        let (kind, time) = (RejectedKind::TimedOut, Time::Known(limit));
        Self { kind, effect: None, name, time, key: None, cause: None, source: None }
    }

    /// Sets the function whose deadline ended the call.
    pub(crate) fn with_deadline_of(mut self, set_by: &'static str) -> Self {
        let deadline = DeadlineOf { set_by, cause: self.source.take() };
        self.source = Some(Arc::new(Box::new(deadline)));
        self
    }

    /// Returns the name of the outer function that set the deadline, if the deadline ended or
    /// prevented the call; see [`context`](crate::context).
    #[must_use]
    pub fn deadline_set_by(&self) -> Option<&'static str> {
        self.source.as_ref()?.downcast_ref().map(|deadline: &DeadlineOf| deadline.set_by)
    }

    /// Sets the cause of the rejection.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        let set_by = self.deadline_set_by();
        self.source = Some(Arc::new(Box::new(source)));
        match set_by {
            Some(set_by) => self.with_deadline_of(set_by),
            None => self,
        }
    }

    /// Sets the effect of the call, in place of the effect of the kind: for a function that has
    /// applied a side effect before the rejected call.
    ///
    /// `#[retry]` sets [`Effect::Unknown`] on a rejection after an earlier attempt that may have
    /// been applied, if an attribute on the same function rejects the attempt.
    ///
    /// ```
    /// use resilience::{Classify, Effect, Rejected, RejectedKind};
    ///
    /// let rejected = Rejected::new(RejectedKind::CircuitOpen, "mail", None);
    /// assert_eq!(rejected.classify().effect, Effect::NotSent);
    /// // The payment is made, and the mail is rejected.
    /// assert_eq!(rejected.with_effect(Effect::Applied).classify().effect, Effect::Applied);
    /// ```
    #[must_use]
    pub const fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Sets the effect of the call; see [`with_effect`](Self::with_effect).
    #[inline]
    pub(crate) fn set_effect(&mut self, effect: Effect) {
        self.effect = Some(effect);
    }

    /// Sets the label of the key that the policy rejected.
    ///
    /// ```
    /// use resilience::{Rejected, RejectedKind};
    ///
    /// let rejected = Rejected::new(RejectedKind::RateLimited, "fetch", None).for_key("eu-1");
    /// assert_eq!(rejected.key(), Some("eu-1"));
    /// assert_eq!(rejected.to_string(), "fetch (eu-1): rate limit reached");
    /// ```
    #[must_use]
    pub fn for_key(mut self, label: impl fmt::Display) -> Self {
        self.key = Some(KeyLabel::new(label));
        self
    }

    /// Returns the label of the key, if the policy has a state per key and the attribute has a
    /// `key_label`. `"(overflow)"` is the state that new keys share while the table of keys is
    /// full.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_ref().map(KeyLabel::as_str)
    }

    /// Finds a rejection in an error and its sources, for the classification of an error that holds
    /// any error. Attributes without `on` look there for `anyhow::Error`, `eyre::Report`, boxed
    /// errors and `std::io::Error`. A rejection inside of a `Box`, an `Arc` or a variant with
    /// `#[error(transparent)]` is found too.
    ///
    /// ```
    /// use std::io;
    /// use resilience::{Classify, FailureClass, Rejected, RejectedKind};
    ///
    /// let class = |error: &io::Error| match Rejected::find(error) {
    ///     Some(rejected) => rejected.classify(),
    ///     None => FailureClass::transient(),
    /// };
    /// let rejected = Rejected::new(RejectedKind::CircuitOpen, "payments", None);
    /// assert_eq!(class(&io::Error::other(rejected.clone())), rejected.classify());
    /// ```
    #[must_use]
    pub fn find<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        error_sources(error).find_map(|error| error.downcast_ref())
    }

    /// Returns the kind of the rejection.
    #[must_use]
    pub const fn kind(&self) -> RejectedKind {
        self.kind
    }

    /// Returns the name of the function or policy that rejected the call.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the time until a call may be admitted, if known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            RejectedKind::TimedOut => None,
            _ => self.time.get(),
        }
    }

    /// Returns the time limit of a call that [timed out](RejectedKind::TimedOut).
    #[must_use]
    pub const fn limit(&self) -> Option<Duration> {
        match self.kind {
            RejectedKind::TimedOut => self.time.get(),
            _ => None,
        }
    }
}

impl Classify for Rejected {
    fn classify(&self) -> FailureClass {
        let class = self.kind.class(self.retry_after());
        match self.effect {
            // The time ran out in this process, and the dependency was not asked.
            Some(Effect::NotSent) if self.kind == RejectedKind::TimedOut => {
                class.effect(Effect::NotSent).neutral()
            }
            Some(effect) => class.effect(effect),
            None => class,
        }
    }
}

impl RejectedKind {
    /// Returns a stable label for logs and metrics: `circuit_open`, `bulkhead_full`,
    /// `rate_limited`, `timed_out`, `panicked`, `deadline_exceeded`, or the label of the
    /// [`IdempotencyRejection`]. `Display` is a phrase for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::BulkheadFull => "bulkhead_full",
            Self::RateLimited => "rate_limited",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Idempotency(reason) => reason.label(),
        }
    }

    pub(crate) const fn class(self, retry_after: Option<Duration>) -> FailureClass {
        let class = match self {
            Self::CircuitOpen | Self::BulkheadFull => FailureClass::transient(),
            Self::RateLimited => FailureClass::throttled(None),
            Self::TimedOut => return FailureClass::transient(),
            // The call that panicked reports the failure.
            Self::Panicked => return FailureClass::permanent().neutral(),
            // No attempt helps before the end of the outer call, and the dependency is not asked.
            Self::DeadlineExceeded => {
                return FailureClass::permanent().effect(Effect::NotSent).neutral();
            }
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
            // The record says this, not the dependency.
            Self::OutcomeUnknown => FailureClass::permanent().neutral(),
            Self::Undecodable | Self::NotStored => {
                FailureClass::permanent().effect(Effect::Applied).neutral()
            }
            // The store failed, so no protection was active.
            Self::StoreUnavailable => FailureClass::throttled(retry_after).effect(Effect::NotSent),
        }
    }
}

/// An error that can represent a rejection.
///
/// Implemented for every error type with `From<Rejected>`, including types that accept any error,
/// such as `Box<dyn Error + Send + Sync>`, and for [`Guarded`](crate::Guarded). For `Option`, a
/// rejection is `None`. Implement `From<Rejected>` instead of this trait. The compiler infers `By`,
/// which separates the implementations.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out",
    label = "needs `From<resilience::Rejected>`",
    note = "if `{Self}` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for {Self} {{ fn from(rejected: resilience::Rejected) -> Self {{ Self::Rejected(rejected) }} }}`, or `#[from]` on the variant under `thiserror`",
    note = "if `{Self}` is the error of another crate, return `Result<_, resilience::Guarded<{Self}>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`",
    note = "if `{Self}` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`"
)]
pub trait FromRejected<By = ByConversion> {
    /// Creates the error of a rejection.
    fn from_rejected(rejected: Rejected) -> Self;
}

/// Marks the implementations of [`FromRejected`] by `From<Rejected>`.
#[derive(Debug)]
pub enum ByConversion {}

#[diagnostic::do_not_recommend]
impl<E: From<Rejected>> FromRejected for E {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        E::from(rejected)
    }
}

/// The error of an `Option`.
impl FromRejected for () {
    #[inline]
    fn from_rejected(_: Rejected) -> Self {}
}

/// Returns the outcome of a rejected call.
#[cold]
#[must_use]
pub fn reject<O: Outcome<Err: FromRejected<By>>, By>(rejected: Rejected) -> O {
    reject_with(rejected, FromRejected::from_rejected)
}

/// Returns the outcome of a rejected call that needs no event.
#[inline]
pub(crate) fn rejected_outcome<O: Outcome<Err: FromRejected<By>>, By>(rejected: Rejected) -> O {
    O::from_result(Err(FromRejected::from_rejected(rejected)))
}

/// Returns the outcome of a rejected call, by the user's conversion.
#[cold]
pub fn reject_with<O: Outcome>(rejected: Rejected, error: impl FnOnce(Rejected) -> O::Err) -> O {
    log::rejected(&rejected);
    O::from_result(Err(error(rejected)))
}

impl From<Rejected> for std::io::Error {
    /// A timeout or a passed deadline becomes [`TimedOut`](std::io::ErrorKind::TimedOut);
    /// everything else becomes [`Other`](std::io::ErrorKind::Other).
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected.kind {
            RejectedKind::TimedOut | RejectedKind::DeadlineExceeded => std::io::ErrorKind::TimedOut,
            _ => std::io::ErrorKind::Other,
        };
        Self::new(kind, rejected)
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{} ({}): {}", self.name, key.as_str(), self.kind)?,
            None => write!(f, "{}: {}", self.name, self.kind)?,
        }
        match (self.kind, self.time.get()) {
            (RejectedKind::TimedOut, Some(limit)) => write!(f, " after {}", Rounded(limit))?,
            (_, Some(after)) => write!(f, "; retry after {}", Rounded(after))?,
            (_, None) => {}
        }
        match self.deadline_set_by() {
            Some(set_by) => write!(f, " (deadline set by {set_by})"),
            None => Ok(()),
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
            Self::Panicked => "the shared execution panicked",
            Self::DeadlineExceeded => "deadline exceeded before the call started",
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
            Self::NotStored => "the call has run before, and its outcome was not stored",
            Self::StoreUnavailable => "the idempotency store is unavailable",
        })
    }
}

impl Error for Rejected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if is_searched() {
            return Some(self);
        }
        match (&self.source, &self.cause) {
            (Some(source), _) => Some(&***source),
            (None, Some(cause)) => cause.text().is_some().then_some(cause as _),
            (None, None) => None,
        }
    }
}
