//! Callers of the library under the name `again`.

use std::cell::Cell;

use again::{Rejected, bulkhead, circuit_breaker, retry};

/// The derive, without `#[classify(crate = …)]`.
#[derive(Debug, again::Classify)]
#[permanent]
pub struct NotFound;

/// Counts the attempts.
///
/// # Errors
/// Always.
#[retry(attempts = 3, base_delay = "1ms")]
pub fn bare(calls: &Cell<u32>) -> Result<(), &'static str> {
    calls.set(calls.get() + 1);
    Err("down")
}

/// Counts the attempts, with a path on each attribute.
///
/// # Errors
/// Always.
#[again::retry(attempts = 3, base_delay = "1h")]
#[again::timeout("1s")]
#[again::bulkhead(max = 1)]
pub async fn with_paths(calls: &Cell<u32>) -> Result<(), Rejected> {
    calls.set(calls.get() + 1);
    Err(Rejected::timed_out("body", std::time::Duration::ZERO))
}

/// Counts the attempts, with `crate` on the first attribute only.
///
/// # Errors
/// Always.
#[again::retry(attempts = 3, base_delay = "1ms", crate = ::again)]
#[again::circuit_breaker(failure_threshold = 3)]
#[bulkhead(max = 1)]
pub fn with_one_crate_key(calls: &Cell<u32>) -> Result<(), Rejected> {
    calls.set(calls.get() + 1);
    Err(Rejected::timed_out("body", std::time::Duration::ZERO))
}

/// A breaker above a retry: the written order is kept.
///
/// # Errors
/// Always.
#[circuit_breaker(failure_threshold = 2, crate = ::again)]
#[again::retry(attempts = 3, base_delay = "1ms", crate = ::again)]
pub fn breaker_above(calls: &Cell<u32>) -> Result<(), Rejected> {
    calls.set(calls.get() + 1);
    Err(Rejected::timed_out("body", std::time::Duration::ZERO))
}

/// Stores the outcome of a call.
///
/// # Errors
/// Returns the rejection of a repeated call.
#[again::idempotent(key = id, scope = "global")]
pub fn stored(id: u32) -> Result<u32, Rejected> {
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(call: impl FnOnce(&Cell<u32>) -> bool) -> u32 {
        let _guard = again::testing::no_waits();
        let calls = Cell::new(0);
        assert!(call(&calls));
        calls.get()
    }

    #[test]
    fn attributes_need_no_crate_key() {
        assert_eq!(calls(|calls| bare(calls).is_err()), 3);
        assert_eq!(stored(7).ok(), Some(7));
    }

    #[test]
    fn paths_through_the_other_name_are_siblings() {
        assert_eq!(calls(|calls| with_one_crate_key(calls).is_err()), 3);
        // The breaker counts a call with all attempts once.
        let both =
            |calls: &Cell<u32>| breaker_above(calls).is_err() && breaker_above(calls).is_err();
        assert_eq!(calls(both), 6);
        let _guard = again::testing::no_waits();
        let count = Cell::new(0);
        assert!(breaker_above(&count).is_err());
        assert_eq!(count.get(), 0);
    }

    #[test]
    fn paths_on_three_attributes_of_an_async_function() {
        let count = Cell::new(0);
        let mut future = std::pin::pin!(with_paths(&count));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // The first attempt runs at once, and the retry waits.
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert_eq!(count.get(), 1);
    }
}
