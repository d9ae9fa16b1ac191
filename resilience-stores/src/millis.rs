//! Times as databases count them.

use std::time::Duration;

/// A hundred years, because databases count no further.
const LONGEST: i64 = 100 * 365 * 86_400_000;

/// Milliseconds rounded up, so that nothing ends early.
#[cfg(feature = "idempotent")]
pub(crate) fn millis(time: Duration) -> i64 {
    at_most_longest(time.as_nanos().div_ceil(1_000_000))
}

/// Whole milliseconds of a time that is running already.
#[cfg(all(feature = "shared-breakers", any(feature = "postgres", feature = "redis")))]
pub(crate) fn whole_millis(time: Duration) -> i64 {
    at_most_longest(time.as_millis())
}

fn at_most_longest(millis: u128) -> i64 {
    i64::try_from(millis).unwrap_or(LONGEST).min(LONGEST)
}
