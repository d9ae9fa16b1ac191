//! Conversion of durations to the milliseconds of a database.

use std::time::Duration;

/// One hundred years: the databases cannot represent much longer times.
const LONGEST: i64 = 100 * 365 * 86_400_000;

/// Returns the time in milliseconds, rounded up so that a lease or a record never ends early.
pub(crate) fn millis(time: Duration) -> i64 {
    at_most_longest(time.as_nanos().div_ceil(1_000_000))
}

/// Returns the time in milliseconds, rounded down, for a time that is already running.
pub(crate) fn whole_millis(time: Duration) -> i64 {
    at_most_longest(time.as_millis())
}

fn at_most_longest(millis: u128) -> i64 {
    i64::try_from(millis).unwrap_or(LONGEST).min(LONGEST)
}
