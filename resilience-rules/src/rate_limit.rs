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

/// Checks the permits of a call. The attribute alone applies this rule, to literals.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn cost(cost: u32) -> RuleResult {
    require(
        cost >= 1,
        "a `cost` of 0 takes no permit, so no call would count; write the permits of a call, or \
         remove `cost`",
    )
}

/// Checks the permits of a call against the calls that may start at once, for a limiter without a
/// wait. The attribute alone applies this rule, to literals.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the cost is greater.
pub const fn cost_within_burst(cost: u32, burst: u32) -> RuleResult {
    require(
        cost <= burst,
        "`cost` is above `burst` (1 by default), so no call could start without a wait; raise \
         `burst`, or add a `wait`",
    )
}

/// Checks the longest wait of a call against the time until a cost above the burst is free. The
/// attribute alone applies this rule, to literals.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the wait is shorter.
pub const fn cost_within_wait(
    cost: u32,
    burst: u32,
    rate: u32,
    per: Duration,
    wait: Duration,
) -> RuleResult {
    let missing = cost.saturating_sub(burst) as u128;
    let rate = if rate == 0 { 1 } else { rate as u128 };
    require(
        wait.as_nanos().saturating_mul(rate) >= per.as_nanos().saturating_mul(missing),
        "`cost` is above `burst`, and `wait` is shorter than the time until so many permits are \
         free, so no call could start; raise `burst` or `wait`",
    )
}
