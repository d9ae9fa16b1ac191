//! Classification of database errors inside application errors.

use std::error::Error;

#[cfg(any(feature = "redis", feature = "redis-032", feature = "sqlx", feature = "sqlx-08"))]
use resilience_core::__internal::downcast;
use resilience_core::__internal::error_sources;
use resilience_core::{Classify, FailureClass, Rejected};

/// Classifies the first known error in a chain of sources; permanent if the chain contains no
/// known error.
///
/// The chain starts with the error itself and follows [`source`](Error::source). Known errors are
/// the errors of `sqlx` and `redis`, also inside a `Box` or an `Arc`, and [`Rejected`]. A variant
/// with `#[error(transparent)]` hides the error of a database, because its source is the source of
/// the inner error.
///
/// ```
/// use std::{error::Error, fmt};
/// use resilience::{FailureClass, Effect};
/// use resilience::stores::classify_chain;
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
/// ```
#[must_use]
pub fn classify_chain(error: &(dyn Error + 'static)) -> FailureClass {
    find_class(error).unwrap_or_else(FailureClass::permanent)
}

/// Classifies the first known error in a chain of sources, like [`classify_chain`]; `None` if the
/// chain contains no known error.
///
/// Combine `find_class` with another classifier:
/// `find_class(error).unwrap_or_else(|| resilience::http::classify_chain(error))`.
#[must_use]
pub fn find_class(error: &(dyn Error + 'static)) -> Option<FailureClass> {
    error_sources(error).find_map(class_of)
}

/// Classifies a single error, without the sources.
fn class_of(error: &(dyn Error + 'static)) -> Option<FailureClass> {
    #[cfg(feature = "sqlx")]
    if let Some(error) = downcast::<sqlx::Error>(error) {
        return Some(crate::sqlx::classify(error));
    }
    #[cfg(feature = "sqlx-08")]
    if let Some(error) = downcast::<sqlx_08::Error>(error) {
        return Some(crate::sqlx::classify(error));
    }
    #[cfg(feature = "redis")]
    if let Some(error) = downcast::<redis::RedisError>(error) {
        return Some(crate::redis::classify(error));
    }
    #[cfg(feature = "redis-032")]
    if let Some(error) = downcast::<redis_032::RedisError>(error) {
        return Some(crate::redis::classify(error));
    }
    error.downcast_ref().map(Rejected::classify)
}
