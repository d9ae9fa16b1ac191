//! Wakes the calls that wait for a service when a circuit breaker opens.
//!
//! The service wakes a task when ready, and knows nothing about the breaker above. Without this
//! module, a call that waits for a hanging service would not notice the opening.

use core::ptr;
use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The calls of all layers that wait below a circuit breaker. An opening is rare, so a list per
/// breaker is not worth an allocation per layer.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting { last_id: 0, wakers: BTreeMap::new() });
/// The number of waiting calls. Zero spares most rejections the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The identity of a circuit breaker, or of the breakers of a layer: the address. The holder keeps
/// the memory, with a `Weak` at least, so no other breaker has the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watched(usize);

impl Watched {
    pub(super) fn new<T>(it: &T) -> Self {
        Self(ptr::from_ref(it).addr())
    }
}

struct Waiting {
    last_id: u64,
    wakers: BTreeMap<Watched, BTreeMap<u64, Waker>>,
}

impl Waiting {
    fn remove(&mut self, watched: Watched, id: u64) -> Option<Waker> {
        let wakers = self.wakers.get_mut(&watched)?;
        let removed = wakers.remove(&id);
        if wakers.is_empty() {
            self.wakers.remove(&watched);
        }
        removed
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes the calls that wait below a breaker: the breaker rejects calls.
pub(super) fn wake(watched: Watched) {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return;
    }
    let woken = {
        let mut waiting = waiting();
        let woken = waiting.wakers.remove(&watched).unwrap_or_default();
        COUNT.fetch_sub(woken.len(), Ordering::SeqCst);
        woken
    };
    // A waker runs foreign code, so no lock is held here.
    woken.into_values().for_each(Waker::wake);
}

/// A call that may wait for the readiness of a service.
#[derive(Debug, Default)]
pub(super) struct ReadinessWatch {
    place: Option<(Watched, u64)>,
}

impl ReadinessWatch {
    /// Starts to wait below a breaker, or replaces the waker.
    pub(super) fn begin(&mut self, watched: Watched, waker: &Waker) {
        // Cloned before the lock, because `clone` of a waker is foreign code.
        let waker = waker.clone();
        if self.place.is_some_and(|(other, _)| other != watched) {
            self.end();
        }
        let mut waiting = waiting();
        let id = self.place.map_or(waiting.last_id.wrapping_add(1), |(_, id)| id);
        waiting.last_id = waiting.last_id.max(id);
        self.place = Some((watched, id));
        let replaced = waiting.wakers.entry(watched).or_default().insert(id, waker);
        COUNT.fetch_add(usize::from(replaced.is_none()), Ordering::SeqCst);
        drop(waiting);
        // Dropped without the lock, as in `end`.
        drop(replaced);
    }

    /// Ends the wait.
    pub(super) fn end(&mut self) {
        if let Some((watched, id)) = self.place.take() {
            let mut waiting = waiting();
            let removed = waiting.remove(watched, id);
            COUNT.fetch_sub(usize::from(removed.is_some()), Ordering::SeqCst);
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
