//! The runtime under another path, as a macro of another crate would name it.
#![allow(unused_qualifications, reason = "`crate = …` takes an absolute path")]

/// The re-export.
pub mod exports {
    pub use resilience;
}

use exports::resilience::Rejected;

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::bulkhead(max = 1, crate = crate::reexported::exports::resilience)]
pub fn bulkhead() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::circuit_breaker(crate = crate::reexported::exports::resilience)]
pub fn circuit_breaker() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::coalesce(key = (), crate = crate::reexported::exports::resilience)]
pub fn coalesce() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::fallback(value = (), crate = crate::reexported::exports::resilience)]
pub fn fallback() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Returns the rejection of the attribute.
#[exports::resilience::idempotent(
    crate = crate::reexported::exports::resilience,
    key = id,
    scope = "global",
)]
pub fn idempotent(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::rate_limit(rate = 1, crate = crate::reexported::exports::resilience)]
pub fn rate_limit() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::retry(crate = crate::reexported::exports::resilience)]
pub fn retry() -> Result<(), ()> {
    Ok(())
}

/// Fetches.
///
/// # Errors
/// Never.
#[exports::resilience::timeout("5s", crate = crate::reexported::exports::resilience)]
pub async fn timeout() -> Result<(), ()> {
    Ok(())
}

/// Has a hedge.
///
/// # Errors
/// Never.
#[exports::resilience::hedge(after = "50ms", idempotent, crate = crate::reexported::exports::resilience)]
pub async fn hedge() -> Result<(), ()> {
    Ok(())
}

/// Has a path in the first attribute only.
///
/// # Errors
/// Never.
#[exports::resilience::fallback(value = (), crate = crate::reexported::exports::resilience)]
#[exports::resilience::retry]
pub fn stack() -> Result<(), ()> {
    Ok(())
}

/// An error with a derived classification.
#[derive(Debug, exports::resilience::Classify)]
#[classify(crate = crate::reexported::exports::resilience)]
pub enum ApiError {
    /// The server does not answer.
    #[transient]
    Down,
    /// The entry does not exist.
    #[permanent]
    NotFound,
}

#[cfg(test)]
mod tests {
    use resilience::Classify;

    use super::ApiError;
    use crate::ready;

    #[test]
    fn the_runtime_is_found() {
        assert_eq!(super::bulkhead(), Ok(()));
        assert_eq!(super::circuit_breaker(), Ok(()));
        assert_eq!(super::coalesce(), Ok(()));
        assert_eq!(super::fallback(), Ok(()));
        assert_eq!(super::idempotent(7), Ok(7));
        assert_eq!(super::rate_limit(), Ok(()));
        assert_eq!(super::retry(), Ok(()));
        assert_eq!(super::stack(), Ok(()));
        assert_eq!(ready(super::timeout()), Ok(()));
        assert_eq!(ready(super::hedge()), Ok(()));
        assert_ne!(ApiError::Down.classify(), ApiError::NotFound.classify());
    }
}
