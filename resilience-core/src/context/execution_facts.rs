//! The facts about a shared execution that its outcome does not carry.
//!
//! The code that learns of a fact runs in the execution, at any depth. The process keeps the facts
//! by the execution, so an execution without a fact pays nothing.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::executions::{self, ExecutionId};
use crate::clock::Timestamp;
use crate::recent_map::RecentMap;

/// The facts about an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecutionFacts {
    /// The time of the oldest last good value that a call inside has returned.
    pub(crate) oldest_value: Option<Timestamp>,
    /// A call inside has ended as if nothing was sent, after an attempt that may have been applied.
    pub(crate) has_lost_attempt: bool,
}

static FACTS: Mutex<RecentMap<ExecutionId, ExecutionFacts>> = Mutex::new(RecentMap::new());

/// Whether the process has ever recorded a fact.
static HAS_FACTS: AtomicBool = AtomicBool::new(false);

fn facts() -> MutexGuard<'static, RecentMap<ExecutionId, ExecutionFacts>> {
    FACTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records a fact about the executions that the running code is part of.
#[cold]
pub(crate) fn record(change: impl Fn(&mut ExecutionFacts)) {
    executions::each(|execution| {
        HAS_FACTS.store(true, Relaxed);
        let mut facts = facts();
        let mut known = facts.get(&execution).copied().unwrap_or_default();
        change(&mut known);
        facts.insert(execution, known);
    });
}

/// Removes and returns the facts about an execution.
pub(crate) fn take(execution: ExecutionId) -> ExecutionFacts {
    if !HAS_FACTS.load(Relaxed) {
        return ExecutionFacts::default();
    }
    facts().remove(&execution).unwrap_or_default()
}
