//! `#[bulkhead]` and `Bulkhead`.

use core::time::Duration;

use crate::RuleResult;
use crate::invalid::require;

/// Checks the number of concurrent calls.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn max(max: u32) -> RuleResult {
    require(max >= 1, "`max` must be at least 1, or no call could run")
}

/// Checks the length of the queue, where a wait is set as well.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn queue_of_wait(queue: u32) -> RuleResult {
    require(queue >= 1, "`queue` is zero, so no call could `wait`; raise `queue` or remove `wait`")
}

/// Checks the time in the queue, where a length of the queue is set as well.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) for zero.
pub const fn wait_in_queue(wait: Duration) -> RuleResult {
    require(
        !wait.is_zero(),
        "`wait` is zero, so no call could stay in the `queue`; raise `wait` or remove `queue`",
    )
}

/// Checks the length of the queue against the time in the queue.
///
/// # Errors
/// [`InvalidPolicy`](crate::InvalidPolicy) where exactly one of the two is zero.
pub const fn queue_and_wait(queue: u32, wait: Duration) -> RuleResult {
    match (queue, wait.is_zero()) {
        (0, true) => Ok(()),
        (0, false) => queue_of_wait(queue),
        _ => wait_in_queue(wait),
    }
}
