//! What a failure means: may it pass, and could the effect have happened?

use core::time::Duration;

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
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
pub enum Sent {
    /// The request never left: no connection, no permit.
    No,
    /// It arrived and was turned away before anything was done.
    Refused,
    /// Nobody knows: the connection broke while the answer was awaited.
    Maybe,
    /// It was done; only the answer was lost or unreadable.
    Done,
}

impl Sent {
    /// Whether the effect certainly did not happen, so that repeating the call is always safe.
    #[must_use]
    #[inline]
    pub const fn is_unapplied(self) -> bool {
        matches!(self, Self::No | Self::Refused)
    }
}

/// The meaning of a failure, on two axes, with the time the other side asked for.
///
/// A plain `bool` converts: `true` is transient, `false` is permanent.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::time::Duration;
/// use resilience::{Class, Kind, Sent};
///
/// let busy = Class::throttled(Some(Duration::from_secs(2))).sent(Sent::Refused);
/// assert_eq!(busy.kind, Kind::Throttled);
/// assert_eq!(Class::from(true), Class::transient());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Class {
    /// Whether the same call may succeed later.
    pub kind: Kind,
    /// Whether the effect could have happened. [`Sent::Maybe`] unless said.
    pub sent: Sent,
    /// How long the other side asked to wait: exact, never shortened. `None` and zero leave the
    /// wait to the backoff.
    pub after: Option<Duration>,
    /// Whether an attribute of this process turned the call away: see [`Rejected`](crate::Rejected).
    pub(crate) is_rejection: bool,
    /// Whether it is worth one more attempt only: see [`Class::once`].
    pub(crate) is_once: bool,
}

impl Class {
    /// A failure that may pass by itself.
    #[must_use]
    #[inline]
    pub const fn transient() -> Self {
        Self::of(Kind::Transient)
    }

    /// A failure by which the other side asks for less, and for how long, where it says so.
    ///
    /// Without a time the backoff counts from at least one second.
    #[must_use]
    #[inline]
    pub const fn throttled(after: Option<Duration>) -> Self {
        Self { after, ..Self::of(Kind::Throttled) }
    }

    /// A failure that the same call would meet again.
    #[must_use]
    #[inline]
    pub const fn permanent() -> Self {
        Self::of(Kind::Permanent)
    }

    const fn of(kind: Kind) -> Self {
        Self { kind, sent: Sent::Maybe, after: None, is_rejection: false, is_once: false }
    }

    /// The same class with another answer to "could the effect have happened?".
    #[must_use]
    #[inline]
    pub const fn sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
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
    /// # extern crate resilience_core as resilience;
    /// use resilience::{Class, RetryPolicy, testing};
    ///
    /// let _guard = testing::no_waits();
    /// let mut calls = 0;
    /// let result: Result<(), &str> =
    ///     RetryPolicy::new().attempts(9).on(|_: &&str| Class::transient().once()).run(|| {
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

impl From<bool> for Class {
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
/// # extern crate resilience_core as resilience;
/// use resilience::{Class, Classify};
///
/// enum ApiError {
///     Disconnected,
///     NotFound,
/// }
///
/// impl Classify for ApiError {
///     fn classify(&self) -> Class {
///         match self {
///             ApiError::Disconnected => Class::transient(),
///             ApiError::NotFound => Class::permanent(),
///         }
///     }
/// }
/// # assert_eq!(ApiError::NotFound.classify(), Class::permanent());
/// # assert_eq!(ApiError::Disconnected.classify(), Class::transient());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what it means for a retry",
    label = "needs `Classify`",
    note = "derive it, `#[derive(resilience::Classify)]`, or implement `resilience::Classify` for `{Self}`"
)]
pub trait Classify {
    /// What this error means for whoever might repeat the call.
    fn classify(&self) -> Class;
}
