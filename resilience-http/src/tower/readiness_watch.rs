//! Wakes the calls that wait for a service when a circuit breaker opens.
//!
//! The service wakes a task when ready, and knows nothing about the breaker above. Without this
//! module, a call that waits for a hanging service would not notice the opening.

use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The waiting calls of all layers. An opening is rare, so a list per breaker is not worth an
/// allocation per layer.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting { last_id: 0, wakers: BTreeMap::new() });
/// The number of waiting calls. Zero spares most rejections the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Waiting {
    last_id: u64,
    wakers: BTreeMap<u64, Waker>,
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes all waiting calls: a breaker rejects calls.
pub(super) fn wake_all() {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return;
    }
    let woken = {
        let mut waiting = waiting();
        COUNT.store(0, Ordering::SeqCst);
        core::mem::take(&mut waiting.wakers)
    };
    // A waker runs foreign code, so no lock is held here.
    woken.into_values().for_each(Waker::wake);
}

/// A call that may wait for the readiness of a service.
#[derive(Debug, Default)]
pub(super) struct ReadinessWatch {
    id: Option<u64>,
}

impl ReadinessWatch {
    /// Starts to wait, or replaces the waker.
    pub(super) fn begin(&mut self, waker: &Waker) {
        let mut waiting = waiting();
        let id = self.id.unwrap_or(waiting.last_id.wrapping_add(1));
        waiting.last_id = waiting.last_id.max(id);
        self.id = Some(id);
        waiting.wakers.insert(id, waker.clone());
        COUNT.store(waiting.wakers.len(), Ordering::SeqCst);
    }

    /// Ends the wait.
    pub(super) fn end(&mut self) {
        if let Some(id) = self.id.take() {
            let mut waiting = waiting();
            let removed = waiting.wakers.remove(&id);
            COUNT.store(waiting.wakers.len(), Ordering::SeqCst);
            drop(waiting);
            // Dropped without the lock: a waker runs foreign code.
            drop(removed);
        }
    }
}

impl Drop for ReadinessWatch {
    fn drop(&mut self) {
        self.end();
    }
}
