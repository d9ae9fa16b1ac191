//! The process-wide switch.

use core::num::NonZeroU64;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns all attributes and policies of the process on or off. Default: on. `#[idempotent]` stays
/// on: a duplicate side effect cannot be undone.
///
/// While off, an annotated function behaves as if it had no attribute: `#[retry]` makes one call.
/// For deployments where another component retries, such as a service mesh. A call that waits for
/// the next attempt makes that attempt and no more. A call that waits for a permit of a bulkhead or
/// a rate limit wakes up and runs at once.
///
/// ```
/// resilience::set_enabled(false);
/// assert!(!resilience::is_enabled());
/// # resilience::set_enabled(true);
/// ```
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Relaxed);
    if !enabled {
        for shard in &WATCHES {
            let woken = core::mem::take(&mut *lock(shard));
            // A waker runs foreign code, so no lock is held here.
            woken.into_values().for_each(Waker::wake);
        }
    }
}

/// Returns whether attributes and policies are on. See [`set_enabled`].
#[must_use]
#[inline]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}

type Wakers = BTreeMap<NonZeroU64, Waker>;

/// The wakers of waiting calls. Several locks, so that waiting calls of different policies seldom
/// share a lock.
static WATCHES: [Mutex<Wakers>; 16] = [const { Mutex::new(BTreeMap::new()) }; 16];

static LAST: AtomicU64 = AtomicU64::new(0);

fn lock(shard: &Mutex<Wakers>) -> MutexGuard<'_, Wakers> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The registration of a waiting call. Switching off the policies wakes the call.
#[derive(Debug, Default)]
pub(crate) struct SwitchWatch(Option<NonZeroU64>);

impl SwitchWatch {
    /// Registers the waker, and returns whether the policies are on.
    ///
    /// The switch changes before the wakers are taken, and the waker is stored before the switch is
    /// read. Therefore either the read returns `false`, or the waker is used.
    pub(crate) fn watch(&mut self, waker: &Waker) -> bool {
        let id = *self.0.get_or_insert_with(|| {
            NonZeroU64::new(LAST.fetch_add(1, Relaxed).wrapping_add(1)).unwrap_or(NonZeroU64::MIN)
        });
        let known = lock(shard(id)).get(&id).is_some_and(|known| known.will_wake(waker));
        if !known {
            let waker = waker.clone();
            let old = lock(shard(id)).insert(id, waker);
            drop(old);
        }
        is_enabled()
    }
}

impl Drop for SwitchWatch {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            let waker = lock(shard(id)).remove(&id);
            drop(waker);
        }
    }
}

fn shard(id: NonZeroU64) -> &'static Mutex<Wakers> {
    let [first, ..] = &WATCHES;
    usize::try_from(id.get() % 16).ok().and_then(|index| WATCHES.get(index)).unwrap_or(first)
}
