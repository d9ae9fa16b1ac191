//! `#[rate_limit]` and `RateLimiter`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// Default of `per` in the attribute.
pub const PER: Duration = Duration::from_secs(1);

/// Default of `burst`.
pub const BURST: u32 = 1;

/// The whole of a shared rate, in the unit of shares: billionths.
pub const WHOLE_SHARE: u32 = 1_000_000_000;

/// How long a shared limiter waits for its first lease before it uses the whole rate, if a
/// synchronization was started and is gone.
pub const SHARE_START: Duration = Duration::from_secs(10);

/// Checks the calls in a period.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn rate(rate: u32) -> RuleResult {
    require(rate >= 1, "`rate` must be at least 1, or no call could run")
}

/// Checks the period.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn per(per: Duration) -> RuleResult {
    require(!per.is_zero(), "`per` is zero, but a rate needs a period, like `\"1s\"`")
}

/// Checks the calls that may start at once.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn burst(burst: u32) -> RuleResult {
    require(burst >= 1, "`burst` must be at least 1: a call counts towards its own burst")
}
