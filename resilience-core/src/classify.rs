//! What a failure means: may it pass, and could the effect have happened?

use core::time::Duration;

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// It may pass by itself: a reset connection, a timeout, a failing replica.
    Transient,
    /// The other side asks for less: a rate limit, an overload.
    Throttled,
    /// The same call will fail again: a missing row, a refused credential, a bad request.
    Permanent,
}

/// Whether the effect of a failed call could have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The request never left: no connection, no permit.
    NotSent,
    /// It arrived and was turned away before anything was done.
    Refused,
    /// Nobody knows: the connection broke while the answer was awaited.
    Unknown,
    /// It was done; only the answer was lost or unreadable.
    Applied,
}

impl Effect {
    /// Whether the effect certainly did not happen, so that repeating the call is always safe.
    #[must_use]
    #[inline]
    pub const fn is_not_applied(self) -> bool {
        matches!(self, Self::NotSent | Self::Refused)
    }
}

/// The meaning of a failure, on two axes, with the time the other side asked for.
///
/// A plain `bool` converts: `true` is transient, `false` is permanent.
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
    /// Whether the same call may succeed later.
    pub kind: FailureKind,
    /// Whether the effect could have happened. [`Effect::Unknown`] unless said.
    pub effect: Effect,
    /// How long the other side asked to wait: exact, never shortened. `None` and zero leave the
    /// wait to the backoff.
    pub after: Option<Duration>,
    /// Whether an attribute of this process turned the call away: see [`Rejected`](crate::Rejected).
    pub(crate) is_rejection: bool,
    /// Whether it is worth one more attempt only: see [`FailureClass::once`].
    pub(crate) is_once: bool,
}

impl FailureClass {
    /// A failure that may pass by itself.
    #[must_use]
    #[inline]
    pub const fn transient() -> Self {
        Self::of(FailureKind::Transient)
    }

    /// A failure by which the other side asks for less, and for how long, where it says so.
    ///
    /// Without a time the backoff counts from at least one second.
    #[must_use]
    #[inline]
    pub const fn throttled(after: Option<Duration>) -> Self {
        Self { after, ..Self::of(FailureKind::Throttled) }
    }

    /// A failure that the same call would meet again.
    #[must_use]
    #[inline]
    pub const fn permanent() -> Self {
        Self::of(FailureKind::Permanent)
    }

    /// Marks the failure as a rejection of this process, with the time until a call may pass.
    pub(crate) const fn rejection(mut self, retry_after: Option<Duration>) -> Self {
        self.after = retry_after;
        self.is_rejection = true;
        self
    }

    const fn of(kind: FailureKind) -> Self {
        Self { kind, effect: Effect::Unknown, after: None, is_rejection: false, is_once: false }
    }

    /// The same class with another answer to "could the effect have happened?".
    #[must_use]
    #[inline]
    pub const fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The same class with a time that the other side asked for.
    #[must_use]
    #[inline]
    pub const fn after(mut self, after: Duration) -> Self {
        self.after = Some(after);
        self
    }

    /// The same class, worth one more attempt only: the second such failure of a call is permanent to a
    /// retry. For what another try helps at once or never, such as a 421, a stale address or a token that
    /// has just expired. Whoever else asks for the meaning of a failure takes no notice.
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
}

impl From<bool> for FailureClass {
    /// `true` is transient, `false` is permanent.
    #[inline]
    fn from(transient: bool) -> Self {
        if transient { Self::transient() } else { Self::permanent() }
    }
}

/// An error that knows its own meaning.
///
/// An attribute without `on` uses it wherever the error of the function has it; otherwise every
/// error counts as transient. One classification serves every attribute of a function.
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
    message = "`{Self}` does not say what it means for a retry",
    label = "needs `Classify`",
    note = "derive it, `#[derive(resilience::Classify)]`, or implement `resilience::Classify` for `{Self}`"
)]
pub trait Classify {
    /// What this error means for whoever might repeat the call.
    fn classify(&self) -> FailureClass;
}

/// Returns the class that the predicate `on` gives to an error.
#[inline]
pub fn class_of<E, C: Into<FailureClass>>(error: &E, on: impl FnOnce(&E) -> C) -> FailureClass {
    on(error).into()
}

/// A field with the delay that a server asked for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no delay",
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
