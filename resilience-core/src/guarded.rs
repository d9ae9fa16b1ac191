//! The error of a library, or a rejection: for functions that return an error of another crate.

use core::error::Error;
use core::fmt;

use crate::classify::{Classify, FailureClass};
use crate::rejected::{FromRejected, Rejected};

/// The error `E` of a library, or a [`Rejected`] call: the error type of a guarded function that
/// returns an error of another crate, such as `reqwest::Error`.
///
/// A layer that rejects calls needs an error type that can hold a [`Rejected`], and only the crate
/// of an error can add a variant. `Guarded<E>` adds the variant from outside: replace
/// `Result<T, E>` by `Result<T, Guarded<E>>`. In the body, `?` converts an `E`. A last expression
/// of type `Result<T, E>` becomes `Ok(expression?)`.
///
/// ```
/// use resilience::{CircuitBreaker, Guarded, bulkhead};
/// use std::num::ParseIntError;
///
/// #[bulkhead(max = 10)]
/// fn parse(text: &str) -> Result<u32, Guarded<ParseIntError>> {
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("7"), Ok(7));
/// let error = parse("seven").unwrap_err();
/// assert_eq!(error.to_string(), "invalid digit found in string");
/// assert!(error.rejected().is_none());
/// ```
///
/// # Classification
///
/// A rejection has its own class. `E` has the class of its [`Classify`] implementation; without an
/// implementation every `E` is transient. For a predicate on `E`, use
/// [`classify_with`](Self::classify_with): `on = |error| error.classify_with(classify)`.
/// `resilience::http::classify` also accepts a `Guarded` error of a known client.
///
/// # Sources
///
/// [`Display`](fmt::Display) shows the inner error, and [`source`](Error::source) returns the inner
/// error, so that a search through the sources finds `E` or the [`Rejected`].
/// [`as_ref`](AsRef::as_ref) returns the inner error too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guarded<E> {
    /// The body failed.
    Failed(E),
    /// An attribute rejected the call.
    Rejected(Rejected),
}

impl<E> Guarded<E> {
    /// Returns the error of the body, if the body failed.
    #[must_use]
    pub const fn failed(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Rejected(_) => None,
        }
    }

    /// Returns the rejection, if an attribute rejected the call.
    #[must_use]
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Failed(_) => None,
            Self::Rejected(rejected) => Some(rejected),
        }
    }

    /// Returns the error of the body.
    ///
    /// ```
    /// use resilience::{Guarded, Rejected};
    /// use std::io;
    ///
    /// fn plain(error: Guarded<io::Error>) -> io::Error {
    ///     error.into_inner().unwrap_or_else(io::Error::from)
    /// }
    /// assert_eq!(plain(Guarded::Failed(io::Error::other("disk"))).to_string(), "disk");
    /// ```
    ///
    /// # Errors
    /// Returns the [`Rejected`] if an attribute rejected the call.
    pub fn into_inner(self) -> Result<E, Rejected> {
        match self {
            Self::Failed(error) => Ok(error),
            Self::Rejected(rejected) => Err(rejected),
        }
    }

    /// Changes the type of the error of the body.
    pub fn map<F>(self, change: impl FnOnce(E) -> F) -> Guarded<F> {
        match self {
            Self::Failed(error) => Guarded::Failed(change(error)),
            Self::Rejected(rejected) => Guarded::Rejected(rejected),
        }
    }

    /// Returns the class that `classify` gives to the error of the body, or the class of the
    /// rejection.
    ///
    /// ```
    /// use resilience::{Guarded, retry, testing};
    /// use std::num::{IntErrorKind, ParseIntError};
    ///
    /// fn is_empty(error: &ParseIntError) -> bool {
    ///     *error.kind() == IntErrorKind::Empty
    /// }
    ///
    /// #[retry(on = |error| error.classify_with(is_empty))]
    /// fn parse(texts: &mut Vec<&str>) -> Result<u32, Guarded<ParseIntError>> {
    ///     Ok(texts.remove(0).parse()?)
    /// }
    ///
    /// let _guard = testing::no_waits();
    /// assert_eq!(parse(&mut vec!["", "", "7"]), Ok(7));
    /// assert!(parse(&mut vec!["seven", "7"]).is_err());
    /// ```
    #[must_use]
    pub fn classify_with<C>(&self, classify: impl FnOnce(&E) -> C) -> FailureClass
    where
        C: Into<FailureClass>,
    {
        match self {
            Self::Failed(error) => classify(error).into(),
            Self::Rejected(rejected) => rejected.classify(),
        }
    }
}

impl<E> From<E> for Guarded<E> {
    #[inline]
    fn from(error: E) -> Self {
        Self::Failed(error)
    }
}

/// Marks the implementation of [`FromRejected`] for [`Guarded`].
///
/// `From<E>` and `From<Rejected>` would overlap for `Guarded<Rejected>`, so the rejection does not
/// use `From`. The marker separates the implementations, and the compiler infers the marker.
#[derive(Debug)]
pub enum ByVariant {}

impl<E> FromRejected<ByVariant> for Guarded<E> {
    #[inline]
    fn from_rejected(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E: Classify> Classify for Guarded<E> {
    fn classify(&self) -> FailureClass {
        self.classify_with(E::classify)
    }
}

impl<E: fmt::Display> fmt::Display for Guarded<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

/// Returns the inner error. Attributes without `on` find the rejection of another function there.
impl<E: Error + 'static> AsRef<dyn Error> for Guarded<E> {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Failed(error) => error,
            Self::Rejected(rejected) => rejected,
        }
    }
}

impl<E: Error + 'static> Error for Guarded<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.as_ref())
    }
}
