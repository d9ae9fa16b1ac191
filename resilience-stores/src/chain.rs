//! Errors of stores inside errors of the user.

use std::error::Error;

use resilience_core::__internal::error_sources;
use resilience_core::{Classify, FailureClass, Rejected};

/// What the first error of a chain that is known means: the error itself, what it wraps, and so on by
/// [`source`](Error::source). Permanent if none is known. For an error of your own around one of `sqlx` or
/// `redis`, also where it is in a `Box` or an `Arc`; a [`Rejected`] is known as well.
///
/// ```
/// # extern crate resilience_core as resilience;
/// # #[cfg(feature = "sqlx")] {
/// use std::{error::Error, fmt};
/// use resilience::{FailureClass, Effect};
/// use resilience_stores::classify_chain;
///
/// #[derive(Debug)]
/// struct RepositoryError(sqlx::Error);
///
/// impl fmt::Display for RepositoryError {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("the accounts cannot be read")
///     }
/// }
///
/// impl Error for RepositoryError {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&self.0)
///     }
/// }
///
/// let error = RepositoryError(sqlx::Error::PoolTimedOut);
/// assert_eq!(classify_chain(&error), FailureClass::transient().effect(Effect::NotSent));
/// # }
/// ```
#[must_use]
pub fn classify_chain(error: &(dyn Error + 'static)) -> FailureClass {
    find_class(error).unwrap_or_else(FailureClass::permanent)
}

/// The same, and `None` if no error of the chain is known: to go on with another table, as in
/// `find_class(error).unwrap_or_else(|| resilience::http::classify_chain(error))`.
#[must_use]
pub fn find_class(error: &(dyn Error + 'static)) -> Option<FailureClass> {
    error_sources(error).find_map(known)
}

/// The meaning of this one error, without its sources.
fn known(error: &(dyn Error + 'static)) -> Option<FailureClass> {
    #[cfg(feature = "sqlx")]
    if let Some(error) = held(error) {
        return Some(crate::sqlx::classify(error));
    }
    #[cfg(feature = "redis")]
    if let Some(error) = held(error) {
        return Some(crate::redis::classify(error));
    }
    error.downcast_ref().map(Rejected::classify)
}

/// The error as an `E`. A pointer to an error is an error as well, of another type, and gives as its
/// source that of what it points to.
#[cfg(any(feature = "redis", feature = "sqlx"))]
fn held<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    use std::sync::Arc;

    let boxed = || error.downcast_ref::<Box<E>>().map(AsRef::as_ref);
    let shared = || error.downcast_ref::<Arc<E>>().map(AsRef::as_ref);
    error.downcast_ref().or_else(boxed).or_else(shared)
}
