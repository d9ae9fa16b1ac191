//! `#[hedge]`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// The number of hedges of a call without `max`.
pub const MAX: u8 = 1;

/// The largest number of hedges of a call. The future of the function has room for each attempt.
pub const LARGEST_MAX: u32 = 9;

/// The delay of the first hedge until a quantile is learned. A hedge that starts late costs
/// nothing, a hedge that starts early costs load, so the default is long.
pub const WARM_UP: Duration = Duration::from_secs(1);

/// The share of the calls that the budget of a function adds as hedges, in addition to
/// [`RATIO_PER_SECOND`](crate::retry::RATIO_PER_SECOND).
pub const BUDGET: f64 = 0.1;

/// The number of successes from which a quantile is learned.
pub const LEARNING_CALLS: u32 = 20;

/// The time after which the older half of the learned latencies is forgotten.
pub const LEARNING_TIME: Duration = Duration::from_secs(30);

/// Checks the delay before a hedge.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn after(after: Duration) -> RuleResult {
    require(
        !after.is_zero(),
        "`after` is zero, so every call would run twice; write `after = \"50ms\"`, or a quantile: \
         `after = \"p95\"`",
    )
}

/// Checks the delay before a quantile is learned.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn warm_up(warm_up: Duration) -> RuleResult {
    require(
        !warm_up.is_zero(),
        "`warm_up` is zero, so every call would run twice until the quantile is learned; write \
         `warm_up = \"100ms\"`",
    )
}

/// Checks a quantile, in thousandths.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) below 500 and above 999.
pub const fn quantile(thousandths: u32) -> RuleResult {
    require(
        thousandths >= 500 && thousandths <= 999,
        "a quantile must be between `p50` and `p99.9`: `after = \"p95\"` starts a hedge for the \
         slowest 5 % of the calls",
    )
}

/// Checks the number of hedges.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero, and above [`LARGEST_MAX`].
pub const fn max_hedges(max: u32) -> RuleResult {
    require(
        max >= 1 && max <= LARGEST_MAX,
        "`max` must be between 1 and 9: the number of attempts beside the first",
    )
}

/// Checks the delay of a hedge against the limit of a timeout above.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a delay that the timeout never lets end.
pub const fn after_within_timeout(after: Duration, limit: Duration) -> RuleResult {
    require(
        after.as_nanos() < limit.as_nanos(),
        "`after` is not shorter than the limit of the `#[timeout]` above, so no hedge could start \
         for a slow call; lower `after`, or raise the limit",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_about_the_number_of_hedges_names_its_limit() {
        let error = max_hedges(LARGEST_MAX + 1).expect_err("a broken rule");
        assert!(error.message().contains(&format!("between 1 and {LARGEST_MAX}:")), "{error}");
    }
}
