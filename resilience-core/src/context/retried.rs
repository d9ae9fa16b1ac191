//! The last failures of retries below a deadline, as the sources of rejections for the deadline.
//!
//! The retry, the deadline and the rejecting policy can be in three functions. The process keeps
//! the text of a failure by the call with the deadline, so the scopes of a deadline need no room
//! for a failure.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use super::current::{self, CallId};
use crate::clock::Timestamp;
use crate::failure_text::{FailureText, shortened};
use crate::log::Shown;
use crate::recent_map::RecentMap;

/// A call with a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BoundedCall {
    pub(crate) end: Timestamp,
    pub(crate) call: CallId,
}

/// The texts of the failures.
static FAILURES: Mutex<RecentMap<BoundedCall, Arc<str>>> = Mutex::new(RecentMap::new());

thread_local! {
    /// The call whose timeout has just ended, for the rejection that follows at once.
    static ENDED: Cell<Option<BoundedCall>> = const { Cell::new(None) };
}

/// Records a failure that the retry of this function repeats, below a deadline.
#[cold]
pub(crate) fn record(function: &str, error: Shown<'_>) {
    let (Some(call), Some(text)) = (current::bounded_call(), error.text()) else { return };
    let text = shortened(format!("{function}: {text}"));
    let replaced = FAILURES.lock().unwrap_or_else(PoisonError::into_inner).insert(call, text);
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
    let text = failures.get(&call).cloned();
    drop(failures);
    text.map(FailureText)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::clock::now;

    #[test]
    fn the_last_failure_of_a_call_is_found() {
        let end = now().plus(Duration::from_secs(60));
        let deadline = Some(current::Deadline { at: end, set_by: "test" });
        let values = current::Values { deadline, ..current::Values::default() };
        let _scope = current::replace(values, current::new_call());
        record("call", Shown::Display(&1));
        record("call", Shown::Display(&2));
        assert_eq!(last_failure().map(|text| text.to_string()), Some("call: 2".to_owned()));
        let _other = current::replace(values, current::new_call());
        assert!(last_failure().is_none());
    }
}
