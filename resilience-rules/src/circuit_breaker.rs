//! `#[circuit_breaker]` and `CircuitBreaker`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::{require, require_count, require_counts, require_times};

/// Default of `failure_threshold`, where neither a rate nor a slow call is set.
pub const FAILURE_THRESHOLD: u32 = 5;

/// Default of `window`, where a rate or a slow call is set.
pub const WINDOW: Duration = Duration::from_secs(10);

/// Number of buckets in a window of time.
pub const WINDOW_BUCKETS: u32 = 10;

/// Largest number of calls or buckets in a window: the records stay below 25 kilobytes.
pub const MAX_WINDOW: u32 = 100_000;

/// Default of `min_calls`.
pub const MIN_CALLS: u32 = 20;

/// Default of `slow_rate`, where no failure rate is set.
pub const SLOW_RATE: f64 = 0.5;

/// Default of `reset_timeout`.
pub const RESET_TIMEOUT: Duration = Duration::from_secs(30);

/// Default of `jitter`: the open time is up to a tenth longer.
pub const OPEN_JITTER: f64 = 0.1;

/// Longest open time that a server can ask for, where `max_reset_timeout` is not set.
pub const MAX_ASKED_OPEN_TIME: Duration = Duration::from_secs(600);

/// Number of failures whose text stays known after the circuit has closed or opened again.
pub const ENDED_CAUSES: usize = 1_000;

/// Default of `success_threshold`.
pub const SUCCESS_THRESHOLD: u32 = 1;

/// Number of keys in use from which `max_open` counts.
pub const MAX_OPEN_MIN_KEYS: u32 = 5;

/// Checks the failures that open the circuit.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn failure_threshold(failures: u32) -> RuleResult {
    require(
        failures >= 1,
        "`failure_threshold` must be at least 1, or the circuit would be open from the start",
    )
}

/// Checks the failures that open the circuit against the calls in the window.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the window is too small.
pub const fn threshold_within_window(failures: u32, window: u32) -> RuleResult {
    require_counts(
        failures <= window,
        "`failure_threshold` is greater than `window`, so the circuit could never open; raise \
         `window` or lower `failure_threshold`",
        failures,
        window,
    )
}

const fn is_share(rate: f64) -> bool {
    rate > 0.0 && rate <= 1.0
}

/// Checks the share of failures that opens the circuit.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a share outside 0 to 1, and for 0.
pub const fn failure_rate(rate: f64) -> RuleResult {
    require(is_share(rate), "`failure_rate` must be a share of the calls, above 0 and at most 1")
}

/// Checks the share of slow calls that opens the circuit.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a share outside 0 to 1, and for 0.
pub const fn slow_rate(rate: f64) -> RuleResult {
    require(is_share(rate), "`slow_rate` must be a share of the calls, above 0 and at most 1")
}

/// Checks the duration from which a call is slow.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn slow_call(limit: Duration) -> RuleResult {
    require(
        !limit.is_zero(),
        "`slow_call` is zero, so every call would be slow; raise it or remove it",
    )
}

/// Checks the calls from which a rate counts.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn min_calls(calls: u32) -> RuleResult {
    require(calls >= 1, "`min_calls` must be at least 1: a rate needs a call")
}

/// Checks the calls from which a rate counts against the calls in the window.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the window is too small.
pub const fn min_calls_within_window(calls: u32, window: u32) -> RuleResult {
    require_counts(
        calls <= window,
        "`min_calls` is greater than `window`, so no rate could ever count; raise `window` or \
         lower `min_calls`",
        calls,
        window,
    )
}

/// Checks a window of calls: 1 to [`MAX_WINDOW`].
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a number outside that range.
pub const fn window(calls: u32) -> RuleResult {
    require_count(
        calls >= 1 && calls <= MAX_WINDOW,
        "`window` must be from 1 to 100000 calls; for a longer window write a time, like `\"10s\"`",
        calls,
    )
}

/// Checks a window of time.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn window_time(length: Duration) -> RuleResult {
    require(
        !length.is_zero(),
        "`window` is zero, so no call could be in it; write a longer time, like `\"10s\"`",
    )
}

/// Checks the time for which the circuit stays open.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn reset_timeout(time: Duration) -> RuleResult {
    require(
        !time.is_zero(),
        "`reset_timeout` is zero, so the circuit could never be open; raise it or remove it",
    )
}

/// Checks the first open time against the longest.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where the first is longer.
pub const fn reset_within_max(first: Duration, max: Duration) -> RuleResult {
    require_times(
        first.as_nanos() <= max.as_nanos(),
        "`reset_timeout` is longer than `max_reset_timeout`, so the open time could not grow; raise \
         `max_reset_timeout` or lower `reset_timeout`",
        first,
        max,
    )
}

/// Checks the share that jitter adds to the open time.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a share outside 0 to 1.
pub const fn open_jitter(ratio: f64) -> RuleResult {
    require(ratio >= 0.0 && ratio <= 1.0, "`jitter` must be a share of the open time, from 0 to 1")
}

/// Checks the time in which the share of admitted calls grows.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn recovery(time: Duration) -> RuleResult {
    require(
        !time.is_zero(),
        "`recovery` is zero, so all calls would be admitted at once; raise it or remove it",
    )
}

/// Checks the share of keys that may be open.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for a share outside 0 to 1, for 0 and for 1.
pub const fn max_open(share: f64) -> RuleResult {
    require(
        share > 0.0 && share < 1.0,
        "`max_open` must be a share of the keys, above 0 and below 1; remove it to let every \
         circuit open",
    )
}

/// Checks the successes that close the circuit.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn success_threshold(successes: u32) -> RuleResult {
    require(
        successes >= 1,
        "`success_threshold` must be at least 1: the circuit closes on a success",
    )
}

/// Checks the trial calls against the successes that close the circuit.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where there are fewer trial calls.
pub const fn trial_calls_suffice(successes: u32, calls: u32) -> RuleResult {
    require_counts(
        calls >= successes,
        "`half_open_calls` is less than `success_threshold`, so the circuit could never close; \
         raise `half_open_calls` or lower `success_threshold`",
        calls,
        successes,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_about_the_window_names_its_limit() {
        let error = window(MAX_WINDOW + 1).expect_err("a broken rule");
        assert!(error.message().contains(&format!("1 to {MAX_WINDOW} calls")), "{error}");
    }
}
