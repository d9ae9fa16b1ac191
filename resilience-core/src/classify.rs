//! Classification of failures: can a retry help, and was the side effect applied?

use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

/// Whether a later attempt of the same call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// A later attempt can succeed: a reset connection, a timeout, a failing replica.
    Transient,
    /// The server asks for fewer calls: a rate limit, an overload.
    Throttled,
    /// A later attempt fails again: a missing row, a refused credential, a bad request.
    Permanent,
}

/// Whether the side effect of a failed call was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The request was not sent: no connection, no permit.
    NotSent,
    /// The server received the request and rejected it before any side effect.
    Refused,
    /// Unknown: the connection broke while the response was pending.
    Unknown,
    /// The side effect was applied; the response was lost or unreadable.
    Applied,
}

impl Effect {
    /// Returns whether the side effect was certainly not applied. A retry is then always safe.
    #[must_use]
    #[inline]
    pub const fn is_not_applied(self) -> bool {
        matches!(self, Self::NotSent | Self::Refused)
    }
}

/// The class of a failure: its kind, its effect, and the delay that the server asked for.
///
/// A `bool` converts: `true` is transient, `false` is permanent.
///
/// ```
/// use core::time::Duration;
/// use resilience::{FailureClass, FailureKind, Effect};
///
/// let busy = FailureClass::throttled(Some(Duration::from_secs(2))).effect(Effect::Refused);
/// assert_eq!(busy.kind, FailureKind::Throttled);
/// assert_eq!(FailureClass::from(true), FailureClass::transient());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FailureClass {
    /// Whether a later attempt of the same call can succeed.
    pub kind: FailureKind,
    /// Whether the side effect was applied. Default: [`Effect::Unknown`].
    pub effect: Effect,
    /// The delay that the server asked for: exact, never shortened. With `None`, the backoff
    /// decides. With zero, the backoff decides too, without the longer base of a throttled failure,
    /// and [full jitter](crate::Jitter::Full) keeps at least half of a delay.
    pub after: Option<Duration>,
    /// Whether an attribute of this process rejected the call; see [`Rejected`](crate::Rejected).
    pub(crate) is_rejection: bool,
    /// Whether only one more attempt is useful; see [`FailureClass::once`].
    pub(crate) is_once: bool,
    /// Whether the failure says nothing about the dependency; see [`FailureClass::neutral`].
    pub(crate) is_neutral: bool,
}

impl FailureClass {
    /// Returns the class of a failure that a later attempt can avoid.
    #[must_use]
    #[inline]
    pub const fn transient() -> Self {
        Self::of(FailureKind::Transient)
    }

    /// Returns the class of a failure with which the server asks for fewer calls, and the delay
    /// from the server, if any.
    ///
    /// Without a delay the backoff starts at one second or more.
    #[must_use]
    #[inline]
    pub const fn throttled(after: Option<Duration>) -> Self {
        Self { after, ..Self::of(FailureKind::Throttled) }
    }

    /// Returns the class of a failure that every attempt of the call meets.
    #[must_use]
    #[inline]
    pub const fn permanent() -> Self {
        Self::of(FailureKind::Permanent)
    }

    /// Marks the failure as a rejection of this process, with the time until the next call is
    /// admitted.
    pub(crate) const fn rejection(mut self, retry_after: Option<Duration>) -> Self {
        self.after = retry_after;
        self.is_rejection = true;
        self
    }

    const fn of(kind: FailureKind) -> Self {
        Self {
            kind,
            effect: Effect::Unknown,
            after: None,
            is_rejection: false,
            is_once: false,
            is_neutral: false,
        }
    }

    /// Returns the class with this effect.
    #[must_use]
    #[inline]
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Returns the class with this delay from the server.
    #[must_use]
    #[inline]
    pub const fn after(mut self, after: Duration) -> Self {
        self.after = Some(after);
        self
    }

    /// Limits the retry to one extra attempt: after the second such failure of a call, `#[retry]`
    /// gives up as for a permanent failure. For failures where the second attempt helps or no
    /// attempt does: a 421, a stale address, an expired token. Other attributes ignore the limit.
    ///
    /// ```
    /// use resilience::{FailureClass, RetryPolicy, testing};
    ///
    /// let _guard = testing::no_waits();
    /// let mut calls = 0;
    /// let result: Result<(), &str> =
    ///     RetryPolicy::new().attempts(9).on(|_: &&str| FailureClass::transient().once()).run(|| {
    ///         calls += 1;
    ///         Err("the wrong server")
    ///     });
    /// assert_eq!((calls, result), (2, Err("the wrong server")));
    /// ```
    #[must_use]
    #[inline]
    pub const fn once(mut self) -> Self {
        self.is_once = true;
        self
    }

    /// Marks a failure that says nothing about the dependency: a local mistake, a full queue of
    /// this process. A circuit breaker counts the call as neither success nor failure. Other
    /// attributes ignore the mark.
    ///
    /// A breaker also ignores a permanent failure with [`Effect::NotSent`] and a
    /// [`Rejected`](crate::Rejected) call of an inner layer, without the mark.
    ///
    /// ```
    /// use resilience::{CircuitBreaker, CircuitState, FailureClass};
    ///
    /// let breaker = CircuitBreaker::new().failure_threshold(1);
    /// let guard = breaker.try_acquire()?;
    /// guard.report(FailureClass::transient().neutral(), &"the disk of this machine is full");
    /// assert_eq!(breaker.state(), CircuitState::Closed);
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn neutral(mut self) -> Self {
        self.is_neutral = true;
        self
    }
}

impl From<bool> for FailureClass {
    /// `true` is transient, `false` is permanent.
    #[inline]
    fn from(transient: bool) -> Self {
        if transient { Self::transient() } else { Self::permanent() }
    }
}

/// An error with a classification.
///
/// Attributes without `on` use the implementation, if the error type has one. Otherwise every
/// error is transient. One classification serves all attributes of a function. `Box`, `Rc`, `Arc`
/// and references have the class of their target.
///
/// An error type that depends on a type parameter or an associated type needs a `Classify` bound or
/// `on = …`: the attribute cannot see whether the concrete type has an implementation.
///
/// ```
/// use resilience::{FailureClass, Classify};
///
/// enum ApiError {
///     Disconnected,
///     NotFound,
/// }
///
/// impl Classify for ApiError {
///     fn classify(&self) -> FailureClass {
///         match self {
///             ApiError::Disconnected => FailureClass::transient(),
///             ApiError::NotFound => FailureClass::permanent(),
///         }
///     }
/// }
/// # assert_eq!(ApiError::NotFound.classify(), FailureClass::permanent());
/// # assert_eq!(ApiError::Disconnected.classify(), FailureClass::transient());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no classification",
    label = "needs `Classify`",
    note = "if `{Self}` is a type of your crate, add `#[derive(resilience::Classify)]`, or implement `resilience::Classify`",
    note = "if `{Self}` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| …`",
    note = "a type that depends on a type parameter needs the bound `{Self}: resilience::Classify`, or `on = …` in the attribute, such as `on = |_| true` for every failure"
)]
pub trait Classify {
    /// Returns the class of this error.
    fn classify(&self) -> FailureClass;
}

/// A pointer has the class of the target.
macro_rules! classify_target {
    ($($pointer:ty),* $(,)?) => {
        $(
            impl<E: Classify + ?Sized> Classify for $pointer {
                #[inline]
                fn classify(&self) -> FailureClass {
                    (**self).classify()
                }
            }
        )*
    };
}

classify_target!(&E, &mut E, Box<E>, Rc<E>, Arc<E>);

/// A class stored in an error, for `#[forward]`.
impl Classify for FailureClass {
    #[inline]
    fn classify(&self) -> FailureClass {
        *self
    }
}

/// A field with a class, for `#[forward]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no classification to forward",
    label = "needs `Classify`, or a function with the class",
    note = "if `{Self}` is a type of your crate, add `#[derive(resilience::Classify)]` to the type",
    note = "if `{Self}` is the error of another crate, add a function: `#[forward(with = resilience::http::classify)]` for `reqwest`, `hyper`, `tonic` and `std::io`, `#[forward(with = resilience::stores::sqlx::classify)]` for `sqlx`, `#[forward(with = |error| …)]` for any other",
    note = "if every failure has the same class, write `#[transient]` or `#[permanent]` in place of `#[forward]`"
)]
pub trait ForwardedClass {
    /// Returns the class of the field.
    fn forwarded_class(&self) -> FailureClass;
}

#[diagnostic::do_not_recommend]
impl<E: Classify + ?Sized> ForwardedClass for E {
    #[inline]
    fn forwarded_class(&self) -> FailureClass {
        self.classify()
    }
}

/// Returns the class of a field without a function.
#[inline]
pub fn forwarded<E: ForwardedClass + ?Sized>(field: &E) -> FailureClass {
    field.forwarded_class()
}

/// Adds the delay in a field, if any, to the class of another field.
#[must_use]
pub fn with_delay(class: FailureClass, delay: &impl RetryDelay) -> FailureClass {
    match delay.retry_delay() {
        Some(delay) => class.after(delay),
        None => class,
    }
}

/// An error whose class says whether a failed call was applied, for `idempotent = false`.
#[diagnostic::on_unimplemented(
    message = "`idempotent = false` retries no failure here, because `{Self}` does not say whether the failed call was applied",
    label = "needs `Classify`, or `on = …`",
    note = "if `{Self}` is a type of your crate, add `#[derive(resilience::Classify)]`, with `effect = \"not_sent\"` or `effect = \"refused\"` on the failures that are safe to retry",
    note = "if `{Self}` is the error of another crate, add a function to the attribute: `on = resilience::http::classify`, or `on = |error| FailureClass::transient().effect(…)`; if every failure is safe to retry, remove `idempotent = false`"
)]
pub trait StatesEffect {
    /// Returns the class, with the effect.
    fn class_with_effect(&self) -> FailureClass;
}

#[diagnostic::do_not_recommend]
impl<E: Classify + ?Sized> StatesEffect for E {
    #[inline]
    fn class_with_effect(&self) -> FailureClass {
        self.classify()
    }
}

/// Returns the class of an error under `idempotent = false`, without a predicate.
#[inline]
pub fn class_with_effect<E: StatesEffect + ?Sized>(error: &E) -> FailureClass {
    error.class_with_effect()
}

/// The result of a predicate that says whether a failed call was applied, for
/// `idempotent = false`.
#[diagnostic::on_unimplemented(
    message = "`idempotent = false` retries nothing with a predicate that returns `{Self}`, because `{Self}` does not say whether the failed call was applied",
    label = "needs to return a `FailureClass`",
    note = "return a class with an effect, such as `FailureClass::transient().effect(Effect::NotSent)`; if every failure is safe to retry, remove `idempotent = false`"
)]
pub trait EffectOfPredicate: Into<FailureClass> {}

impl EffectOfPredicate for FailureClass {}

/// Returns the class that a predicate gives to an error or a value under `idempotent = false`.
#[inline]
pub fn class_with_effect_of<E, C>(error: &E, on: impl FnOnce(&E) -> C) -> FailureClass
where
    C: EffectOfPredicate,
{
    on(error).into()
}

/// The result of a predicate.
#[diagnostic::on_unimplemented(
    message = "a predicate cannot return `{Self}`",
    label = "needs to return `bool` or `FailureClass`",
    note = "return `true` for a failure, or the class of the failure, such as `FailureClass::transient()`"
)]
pub trait PredicateResult: Into<FailureClass> {}

#[diagnostic::do_not_recommend]
impl<C: Into<FailureClass>> PredicateResult for C {}

/// Returns the class that a predicate gives to an error or a value.
#[inline]
pub fn class_of<E, C: PredicateResult>(error: &E, on: impl FnOnce(&E) -> C) -> FailureClass {
    on(error).into()
}

/// Returns the class of a value that a predicate calls a failure, or `None` for a success.
#[inline]
#[must_use]
pub fn failed_value(class: FailureClass) -> Option<FailureClass> {
    (class.kind != FailureKind::Permanent).then_some(class)
}

/// A field with the delay that a server asked for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a delay",
    label = "needs `Duration` or `Option<Duration>`"
)]
pub trait RetryDelay {
    /// Returns the delay.
    fn retry_delay(&self) -> Option<Duration>;
}

impl RetryDelay for Duration {
    fn retry_delay(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl RetryDelay for Option<Duration> {
    fn retry_delay(&self) -> Option<Duration> {
        *self
    }
}
