//! `#[timeout]`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// Checks the time limit. The attribute alone applies this rule, to literals.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn limit(limit: Duration) -> RuleResult {
    require(
        !limit.is_zero(),
        "a timeout of zero leaves no time to run: write `\"5s\"`, or remove the attribute",
    )
}
