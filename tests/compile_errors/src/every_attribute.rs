//! Each attribute on a public, documented function.

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::bulkhead(max = 10, queue = 20, wait = "100ms", error = |_| 7)]
pub async fn bulkhead(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::circuit_breaker(
    failure_rate = 0.5,
    window = 100,
    reset_timeout = "5s",
    on = |error| *error > 0,
    error = |_| 7,
)]
pub async fn circuit_breaker(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::coalesce(key = id, error = |_| 7)]
pub async fn coalesce(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::fallback(with = |error| error as usize, on = |error| *error > 0)]
pub async fn fallback(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::idempotent(
    key = id,
    scope = (7, "tenant"),
    lease = "10s",
    concurrent = "reject",
    error = |_| 7,
)]
pub async fn idempotent(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::rate_limit(rate = 100, per = "1m", burst = 20, wait = "100ms", error = |_| 7)]
pub async fn rate_limit(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::retry(attempts = 2, deadline = "1s", on = |error| *error > 0)]
pub async fn retry(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Fetches.
///
/// # Errors
/// Never.
#[resilience::timeout("5s", error = |_| 7)]
pub async fn timeout(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

/// Has a hedge.
///
/// # Errors
/// Never.
#[resilience::hedge(after = "50ms", idempotent)]
pub async fn hedge(id: &str) -> Result<usize, u32> {
    Ok(id.len())
}

#[cfg(test)]
mod tests {
    use crate::ready;

    #[test]
    fn no_runtime_is_needed() {
        assert_eq!(ready(super::bulkhead("abc")), Ok(3));
        assert_eq!(ready(super::circuit_breaker("abc")), Ok(3));
        assert_eq!(ready(super::coalesce("abc")), Ok(3));
        assert_eq!(ready(super::fallback("abc")), Ok(3));
        assert_eq!(ready(super::idempotent("abc")), Ok(3));
        assert_eq!(ready(super::rate_limit("abc")), Ok(3));
        assert_eq!(ready(super::retry("abc")), Ok(3));
        assert_eq!(ready(super::timeout("abc")), Ok(3));
        assert_eq!(ready(super::hedge("abc")), Ok(3));
    }
}
