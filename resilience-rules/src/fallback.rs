//! `#[fallback]`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;
pub use crate::keyed::max_keys;

/// Checks the greatest age of a last good value. The attribute applies this rule to literals, and
/// the settings by name to their values.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn stale(limit: Duration) -> RuleResult {
    require(
        !limit.is_zero(),
        "`stale` of zero leaves no value to return: write `stale = \"10m\"`, or remove it",
    )
}
