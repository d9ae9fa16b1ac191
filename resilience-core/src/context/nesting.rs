//! A retry inside a retry of another function, or of the same function by recursion.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::current::{OuterRetry, outer_retry};
use crate::log;

/// The effect of a retry on the retries of functions inside, and inside another retry.
///
/// ```
/// use resilience::{Nested, RetryPolicy};
///
/// let outer = RetryPolicy::new().attempts(4).nested(Nested::OuterOnly);
/// let inner = RetryPolicy::new().attempts(4);
/// let mut calls = 0;
/// # let _guard = resilience::testing::no_waits();
/// let result: Result<(), &str> = outer.run(|| {
///     inner.run(|| {
///         calls += 1;
///         Err("down")
///     })
/// });
/// assert_eq!((result, calls), (Err("down"), 4));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nested {
    /// The attempts of both retries multiply. A WARN event names both functions, once. The
    /// default.
    #[default]
    Multiply,
    /// Only the outermost retry repeats the call: this retry makes one attempt inside another
    /// retry that sets the context, and every retry inside of this retry makes one attempt.
    OuterOnly,
}

/// The most pairs of functions that are remembered; no further pair is reported.
const MAX_PAIRS: usize = 1000;

static REPORTED: Mutex<BTreeSet<(&'static str, &'static str)>> = Mutex::new(BTreeSet::new());

/// Returns the retry outside whose attempts multiply with this retry, and whether only that retry
/// may repeat the call.
pub(crate) fn outer(nested: Nested) -> Option<(OuterRetry, bool)> {
    let outer = outer_retry()?;
    Some((outer, outer.outer_only || nested == Nested::OuterOnly))
}

/// Reports that the attempts of two retries multiply: once for each pair of functions.
pub(crate) fn report(outer: &'static str, inner: &'static str) {
    let is_new = {
        let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
        reported.len() < MAX_PAIRS && reported.insert((outer, inner))
    };
    if is_new {
        log::nested_retry(outer, inner);
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_pairs_is_bounded() {
        for pair in 0..2 * MAX_PAIRS {
            report(Box::leak(format!("outer {pair}").into_boxed_str()), "inner");
        }
        let reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(reported.len(), MAX_PAIRS);
    }
}
