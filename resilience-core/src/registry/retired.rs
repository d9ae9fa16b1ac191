//! The counters of dropped policies: a counter of a name never goes down.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::report::PolicyKind;
use crate::figures::Figure;

/// The counters of the dropped policies of a name and a kind, as sums.
type Retired = BTreeMap<(&'static str, PolicyKind), Vec<Figure>>;

static RETIRED: Mutex<Retired> = Mutex::new(BTreeMap::new());

fn retired() -> MutexGuard<'static, Retired> {
    RETIRED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the counters of a policy that is dropped. `mark` runs under the lock.
pub(super) fn retire(
    name: &'static str,
    kind: PolicyKind,
    counters: Vec<Figure>,
    mark: impl FnOnce(),
) {
    let mut retired = retired();
    mark();
    let sums = retired.entry((name, kind)).or_default();
    for counter in counters.into_iter().filter(|counter| counter.value.as_u64() > 0) {
        let is_same = |sum: &&mut Figure| {
            core::ptr::eq(sum.info, counter.info) && sum.labels == counter.labels
        };
        match sums.iter_mut().find(is_same) {
            Some(sum) => sum.value = sum.value.plus(&counter.value),
            None => sums.push(counter),
        }
    }
}

/// Returns the counters of dropped policies: name, kind and sums. `read` runs at the same time, for
/// the policies that are not among the dropped ones.
pub(super) fn retired_counters(
    read: impl FnOnce(),
) -> Vec<(&'static str, PolicyKind, Vec<Figure>)> {
    let retired = retired();
    read();
    retired.iter().map(|((name, kind), sums)| (*name, *kind, sums.clone())).collect()
}
