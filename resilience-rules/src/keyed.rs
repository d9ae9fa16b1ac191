//! `key` and `max_keys`, which `#[circuit_breaker]`, `#[bulkhead]`, `#[rate_limit]` and
//! `#[fallback]` share.

use crate::RuleResult;
use crate::invalid::require;

/// Default of `max_keys`.
pub const MAX_KEYS: u32 = 10_000;

/// The longest label of a key, in bytes. A longer label is cut.
pub const MAX_KEY_LABEL: usize = 64;

/// Checks how many keys have a state at the same time.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn max_keys(keys: u32) -> RuleResult {
    require(keys >= 1, "`max_keys` must be at least 1")
}
