//! The last failures of retries below a deadline, as the sources of rejections for the deadline.
//!
//! The retry, the deadline and the rejecting policy can be in three functions. The process keeps
//! the text of a failure by the call with the deadline, so the scopes of a deadline need no room
//! for a failure.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::current::{self, CallId};
use crate::clock::Timestamp;
use crate::failure_text::{FailureText, shortened};
use crate::log::Shown;

/// A call with a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BoundedCall {
    pub(crate) end: Timestamp,
    pub(crate) call: CallId,
}

/// The largest number of calls with a failure. A further call replaces the oldest.
const MAX_FAILURES: usize = 1000;

struct Failures {
    texts: BTreeMap<BoundedCall, Arc<str>>,
    /// The calls in the order of their first failures.
    calls: VecDeque<BoundedCall>,
}

static FAILURES: Mutex<Failures> =
    Mutex::new(Failures { texts: BTreeMap::new(), calls: VecDeque::new() });

thread_local! {
    /// The call whose timeout has just ended, for the rejection that follows at once.
    static ENDED: Cell<Option<BoundedCall>> = const { Cell::new(None) };
}

/// Records a failure that the retry of this function repeats, below a deadline.
#[cold]
pub(crate) fn record(function: &str, error: Shown<'_>) {
    let (Some(call), Some(text)) = (current::bounded_call(), error.text()) else { return };
    let text = shortened(format!("{function}: {text}"));
    let mut failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    let Failures { texts, calls } = &mut *failures;
    let mut replaced = texts.insert(call, text);
    if replaced.is_none() {
        calls.push_back(call);
        if calls.len() > MAX_FAILURES {
            replaced = calls.pop_front().and_then(|oldest| texts.remove(&oldest));
        }
    }
    drop(failures);
    drop(replaced);
}

/// Returns the last failure below the current deadline.
#[cold]
pub(crate) fn last_failure() -> Option<FailureText> {
    current::bounded_call().and_then(find)
}

/// Notes that the timeout of this call has ended.
#[cold]
pub(crate) fn end(call: BoundedCall) {
    ENDED.with(|ended| ended.set(Some(call)));
}

/// Returns the last failure below the timeout that has just ended.
#[cold]
pub(crate) fn last_failure_of_ended() -> Option<FailureText> {
    ENDED.with(Cell::take).and_then(find)
}

fn find(call: BoundedCall) -> Option<FailureText> {
    let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
    let text = failures.texts.get(&call).cloned();
    drop(failures);
    text.map(FailureText)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::clock::now;

    #[test]
    fn the_number_of_failures_is_bounded() {
        let start = now();
        for nanos in 0..2 * MAX_FAILURES as u64 {
            let end = start.plus(Duration::from_secs(60) + Duration::from_nanos(nanos));
            let deadline = Some(current::Deadline { at: end, set_by: "test" });
            let _scope = current::replace(
                current::Values { deadline, ..current::Values::default() },
                current::new_call(),
            );
            record("call", Shown::Display(&nanos));
            record("call", Shown::Display(&(nanos + 1)));
            assert_eq!(
                last_failure().map(|text| text.to_string()),
                Some(format!("call: {}", nanos + 1))
            );
        }
        let failures = FAILURES.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!((failures.texts.len(), failures.calls.len()), (MAX_FAILURES, MAX_FAILURES));
    }
}
