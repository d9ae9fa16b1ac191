//! `IdempotencyLayer`, besides the rules of `#[idempotent]`. No attribute has these settings.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// Checks the time for reading the body of a request.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn body_timeout(time: Duration) -> RuleResult {
    require(
        !time.is_zero(),
        "`body_timeout` is zero, so no body could arrive in time; write a longer time, such as 30 \
         seconds",
    )
}

/// Checks the number of requests that run at the same time.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn max_running(requests: u32) -> RuleResult {
    require(requests >= 1, "`max_running` must be at least 1, or no request could run")
}

/// Checks the number of protected methods.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn methods(methods: usize) -> RuleResult {
    require(
        methods >= 1,
        "`methods` is empty, so no request would be protected; name a method, or remove the layer",
    )
}

/// Checks the number of headers that can carry the key.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn headers(names: usize) -> RuleResult {
    require(names >= 1, "`headers` is empty, so no request could have a key; name a header")
}
