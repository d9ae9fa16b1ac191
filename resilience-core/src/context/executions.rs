//! The shared executions that the running code is part of. A call from inside an execution cannot
//! wait for the end of the execution.

use std::cell::RefCell;

use super::current::{CallId, new_call};

thread_local! {
    /// The executions from the outermost to the innermost.
    static RUNNING: RefCell<Vec<ExecutionId>> = const { RefCell::new(Vec::new()) };
}

/// Identifies an execution within the process: the number of the call that runs the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExecutionId(CallId);

impl ExecutionId {
    pub(crate) fn new() -> Self {
        Self(new_call())
    }

    /// Returns whether the running code is part of this execution.
    pub(crate) fn is_running_here(self) -> bool {
        RUNNING.try_with(|running| running.borrow().contains(&self)).unwrap_or(false)
    }
}

/// Code that is part of executions, until dropped.
#[must_use = "the scope ends when the guard is dropped"]
pub(crate) struct InExecutions {
    /// The number of executions outside; `None` without a change.
    outside: Option<usize>,
}

/// Makes the running code a part of these executions.
#[inline]
pub(crate) fn enter(executions: &[ExecutionId]) -> InExecutions {
    if executions.is_empty() {
        return InExecutions { outside: None };
    }
    // A thread that ends has destroyed the list.
    let outside = RUNNING.try_with(|running| {
        let mut running = running.borrow_mut();
        let outside = running.len();
        running.extend_from_slice(executions);
        outside
    });
    InExecutions { outside: outside.ok() }
}

impl Drop for InExecutions {
    #[inline]
    fn drop(&mut self) {
        if let Some(outside) = self.outside {
            let _ = RUNNING.try_with(|running| running.borrow_mut().truncate(outside));
        }
    }
}

/// Calls `visit` for each execution of the running code.
pub(super) fn each(visit: impl FnMut(ExecutionId)) {
    let _ = RUNNING.try_with(|running| running.borrow().iter().copied().for_each(visit));
}

/// Returns the executions of the running code, for another task.
pub(super) fn current() -> Box<[ExecutionId]> {
    RUNNING.try_with(|running| running.borrow().as_slice().into()).unwrap_or_default()
}
