//! `#[retry]` and `RetryPolicy`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::{require, require_times};

/// Default of `attempts`.
pub const ATTEMPTS: u32 = 3;

/// Default of `base_delay`.
pub const BASE_DELAY: Duration = Duration::from_millis(100);

/// Default of `factor`.
pub const FACTOR: f64 = 2.0;

/// Default of `max_delay`. A longer `base_delay` raises the default ceiling.
pub const MAX_DELAY: Duration = Duration::from_secs(10);

/// Default of `max_retry_after`.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Shortest base of the delay after a throttled failure without a delay from the server.
pub const THROTTLED_BASE_DELAY: Duration = Duration::from_secs(1);

/// Tokens of the standard budget, which holds them at the start.
pub const QUOTA_TOKENS: u32 = 500;

/// Tokens that a retry of a transient failure takes from the standard budget.
pub const QUOTA_TRANSIENT: u32 = 14;

/// Tokens that a retry of a throttled failure takes from the standard budget.
pub const QUOTA_THROTTLED: u32 = 5;

/// Retries that a budget with a share of the calls holds at the start, and at least.
pub const RATIO_TOKENS: u32 = 100;

/// Retries a second that a budget allows in addition to a share of the calls.
pub const RATIO_PER_SECOND: u32 = 10;

/// Checks the number of calls, the first included.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn attempts(attempts: u32) -> RuleResult {
    require(attempts >= 1, "`attempts` must be at least 1: the first call counts as an attempt")
}

/// Checks that a retry is possible. The attribute alone applies this rule, to literals: a policy
/// from a settings file may turn retries off.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for 1.
pub const fn retries(attempts: u32) -> RuleResult {
    require(
        attempts != 1,
        "`attempts = 1` makes one call and no retry; write the number of calls, the first included, \
         such as `attempts = 3`, or remove `#[retry]`",
    )
}

/// Checks the delay before the first attempt against the time for the whole call.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the delay is not shorter.
pub const fn initial_within_deadline(initial: Duration, deadline: Duration) -> RuleResult {
    require_times(
        initial.as_nanos() < deadline.as_nanos(),
        "`initial_delay` is not shorter than `deadline`, so no attempt could start; raise \
         `deadline` or lower `initial_delay`",
        initial,
        deadline,
    )
}

/// Checks the delay before the first attempt against a timeout above the retry. The attribute
/// alone applies this rule.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the delay is not shorter.
pub const fn initial_within_timeout(initial: Duration, timeout: Duration) -> RuleResult {
    require_times(
        initial.as_nanos() < timeout.as_nanos(),
        "`initial_delay` is not shorter than the `timeout` above, so no attempt could start; raise \
         the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt",
        initial,
        timeout,
    )
}

/// Checks the shortest first delay of the backoff against a timeout above the retry. The attribute
/// alone applies this rule.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the delay is not shorter.
pub const fn delay_within_timeout(delay: Duration, timeout: Duration) -> RuleResult {
    require_times(
        delay.as_nanos() < timeout.as_nanos(),
        "the first `delay` is not shorter than the `timeout` above, so no retry could start; raise \
         the timeout, lower the delay, or write `#[timeout]` below `#[retry]` to limit each attempt",
        delay,
        timeout,
    )
}

/// Checks the growth of exponential delays.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a factor below 1 and for one that is not finite.
pub const fn factor(factor: f64) -> RuleResult {
    require(
        factor >= 1.0 && factor < f64::INFINITY,
        "`factor` must be a finite number of at least 1: delays cannot shrink",
    )
}

/// Checks a jitter ratio.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a ratio outside 0 to 1.
pub const fn jitter(ratio: f64) -> RuleResult {
    require(ratio >= 0.0 && ratio <= 1.0, "a jitter ratio must be between 0 and 1")
}

/// Checks that the jitter on top of the first delay fits below the ceiling. `width` is the longest
/// extra time. A wider jitter would move below the first delay near the ceiling.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the first delay plus `width` exceeds the ceiling.
pub const fn jitter_within_max(base: Duration, width: Duration, max: Duration) -> RuleResult {
    require_times(
        base.saturating_add(width).as_nanos() <= max.as_nanos(),
        "`base_delay` with the jitter on top is longer than `max_delay`, so the jitter could not \
         stay above the delay; raise `max_delay` or lower `jitter`",
        base,
        max,
    )
}

/// Returns the longest extra time of a jitter ratio. A ratio outside 0 to 1 counts as the nearer
/// end.
#[must_use]
pub const fn ratio_width(base: Duration, ratio: f64) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let ratio = if ratio > 0.0 { ratio.min(1.0) } else { 0.0 };
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "53 bits suffice, and the cast saturates"
    )]
    let nanos = (base.as_nanos() as f64 * ratio) as u128;
    #[expect(clippy::cast_possible_truncation, reason = "at most the nanoseconds of a duration")]
    Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32)
}

/// Checks a list of delays.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for an empty list.
pub const fn delays(delays: &[Duration]) -> RuleResult {
    require(!delays.is_empty(), "a list of delays needs at least one delay")
}

/// Checks the first delay against the ceiling.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the first delay is longer.
pub const fn base_within_max(base: Duration, max: Duration) -> RuleResult {
    require_times(
        base.as_nanos() <= max.as_nanos(),
        "`base_delay` is longer than `max_delay`, so no delay could grow; raise `max_delay` or \
         lower `base_delay`",
        base,
        max,
    )
}

/// Checks the time for the whole call.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn deadline(deadline: Duration) -> RuleResult {
    require(
        !deadline.is_zero(),
        "`deadline` is zero, so no attempt could start; raise it or remove it",
    )
}

/// Checks the first delay against the time for the whole call.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the first delay is not shorter.
pub const fn base_within_deadline(base: Duration, deadline: Duration) -> RuleResult {
    require_times(
        base.as_nanos() < deadline.as_nanos(),
        "`base_delay` is not shorter than `deadline`, so no retry could start; raise `deadline` or \
         lower `base_delay`",
        base,
        deadline,
    )
}

/// Checks the ratio of a retry budget.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a ratio outside 0 to 1, and for 0.
pub const fn budget(ratio: f64) -> RuleResult {
    require(
        ratio > 0.0 && ratio <= 1.0,
        "`budget` must be a share of the calls, above 0 and at most 1; `budget = 0.2` allows one \
         retry for five calls",
    )
}
