//! A renamed import above another attribute keeps the written order.

use std::cell::Cell;
use std::time::Duration;

use resilience::{Rejected, circuit_breaker, idempotent as once, retry, retry as again};

/// Counts the attempts.
///
/// # Errors
/// Always.
#[again(attempts = 3, base_delay = "1ms")]
#[circuit_breaker(failure_threshold = 3)]
pub fn retry_above(calls: &Cell<u32>) -> Result<(), ()> {
    calls.set(calls.get() + 1);
    Err(())
}

/// Succeeds at the third attempt.
///
/// # Errors
/// Returns the rejection of the first two attempts.
#[once(key = 1, scope = "global")]
#[retry(attempts = 3, base_delay = "1ms")]
pub fn idempotent_above(#[skip] calls: &Cell<u32>) -> Result<u32, Rejected> {
    calls.set(calls.get() + 1);
    if calls.get() < 3 { Err(Rejected::timed_out("call", Duration::ZERO)) } else { Ok(7) }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    #[test]
    fn the_breaker_counts_each_attempt() {
        let calls = Cell::new(0);
        let outcomes = [super::retry_above(&calls), super::retry_above(&calls)];
        assert_eq!((outcomes, calls.get()), ([Err(()), Err(())], 3));
    }

    #[test]
    fn the_outcome_of_the_last_attempt_is_stored() {
        let calls = Cell::new(0);
        let outcomes = [super::idempotent_above(&calls), super::idempotent_above(&calls)];
        assert_eq!((outcomes, calls.get()), ([Ok(7), Ok(7)], 3));
    }
}
