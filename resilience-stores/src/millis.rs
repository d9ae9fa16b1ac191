//! Times as databases count them.

use std::time::Duration;

/// Milliseconds rounded up, so that nothing ends early, and at most a hundred years, because databases count
/// no further.
pub(crate) fn millis(time: Duration) -> i64 {
    const LONGEST: i64 = 100 * 365 * 86_400_000;
    i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(LONGEST).min(LONGEST)
}
