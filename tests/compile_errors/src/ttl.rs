//! A `ttl` that is as long as the retry above or below it, or that the compiler cannot compare.

use std::time::Duration;

use resilience::{Rejected, RetryPolicy, idempotent, retry};

const LONG: Duration = Duration::from_secs(7200);
static RETRY: RetryPolicy = RetryPolicy::new();

/// A deadline as long as the `ttl`.
///
/// # Errors
/// Returns the rejection of the attributes.
#[idempotent(key = 1, scope = "tenant", ttl = "1h")]
#[retry(deadline = "1h")]
pub fn equal() -> Result<(), Rejected> {
    Ok(())
}

/// A deadline that is a constant.
///
/// # Errors
/// Returns the rejection of the attributes.
#[idempotent(key = 1, scope = "tenant", ttl = "1h")]
#[retry(deadline = LONG)]
pub fn constant() -> Result<(), Rejected> {
    Ok(())
}

/// A deadline of a policy.
///
/// # Errors
/// Returns the rejection of the attributes.
#[idempotent(key = 1, scope = "tenant", ttl = "1h")]
#[retry(policy = RETRY)]
pub fn policy() -> Result<(), Rejected> {
    Ok(())
}

/// No deadline, and any number of attempts.
///
/// # Errors
/// Returns the rejection of the attributes.
#[idempotent(key = 1, scope = "tenant", ttl = "1h")]
#[retry(attempts = "unlimited")]
pub fn unlimited() -> Result<(), Rejected> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_functions_run() {
        for call in [super::equal, super::constant, super::policy, super::unlimited] {
            assert_eq!(call(), Ok(()));
        }
    }
}
