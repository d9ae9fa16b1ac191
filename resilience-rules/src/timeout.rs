//! `#[timeout]`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// Checks the time limit. The attribute applies this rule to literals, and the settings by name to
/// their values.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn limit(limit: Duration) -> RuleResult {
    require(
        !limit.is_zero(),
        "a timeout of zero leaves no time to run: write `\"5s\"`, or remove the attribute",
    )
}

/// Checks the longest wait of a layer inside a timeout. The attributes alone apply this rule, to
/// literals.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a wait above the limit.
pub const fn wait_within_limit(wait: Duration, limit: Duration) -> RuleResult {
    require(
        wait.as_nanos() <= limit.as_nanos(),
        "`wait` is longer than the limit of the `#[timeout]` above, which drops the call before; \
         lower `wait`, or raise the limit",
    )
}
