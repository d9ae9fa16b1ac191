//! Blocks a thread until a waker wakes it.

use core::mem;
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

use crate::sync::{Condvar, Mutex, lock};

/// A single wait of a thread.
///
/// Uses a condition variable, because the parking token of the thread may belong to an executor
/// further up the stack.
#[derive(Debug)]
pub(crate) struct Parker(Arc<Signal>);

#[derive(Debug)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Signal { woken: Mutex::new(false), changed: Condvar::new() }))
    }

    /// Returns a waker for this thread.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    /// Blocks until the waker has been used since the last call. Returns `false` if `until` comes
    /// first.
    pub(crate) fn park(&self, until: Option<Instant>) -> bool {
        let Signal { woken, changed } = &*self.0;
        let mut woken = lock(woken);
        loop {
            if mem::take(&mut *woken) {
                return true;
            }
            let Some(until) = until else {
                woken = changed.wait(woken).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (woken, _) = changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *lock(&self.woken) = true;
        self.changed.notify_one();
    }
}
