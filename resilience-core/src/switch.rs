//! The process-wide switch, and the wakers of the calls that wait for a permit: a change of the
//! switch or of the settings wakes these calls.

use core::task::Waker;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::mode;
use crate::registry::changes;
use crate::waiters::WaiterId;

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
    mode::set_enabled(enabled);
    if !enabled {
        wake_waiting_calls();
    }
}

/// Wakes all calls that wait for a permit or for a closed circuit, because the switch or the
/// settings have changed.
pub(crate) fn wake_waiting_calls() {
    for shard in &WATCHES {
        let woken = core::mem::take(&mut *lock(shard));
        // A waker runs foreign code, so no lock is held here.
        woken.into_values().for_each(Waker::wake);
    }
    changes::touch(None);
}

/// Returns whether attributes and policies are on. See [`set_enabled`].
#[must_use]
#[inline]
pub fn is_enabled() -> bool {
    mode::is_enabled()
}

type Wakers = BTreeMap<WaiterId, Waker>;

/// The wakers of waiting calls. Several locks, so that waiting calls of different policies seldom
/// share a lock.
static WATCHES: [Mutex<Wakers>; 16] = [const { Mutex::new(BTreeMap::new()) }; 16];

fn lock(shard: &Mutex<Wakers>) -> MutexGuard<'_, Wakers> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers the waker of a waiting call, for the moment at which the policies are switched off or
/// settings change. Returns whether the policies are on.
///
/// The switch and the settings change before the wakers are taken, and the waker is stored before
/// the switch and the settings are read. Therefore either the read finds the change, or the waker
/// is used.
pub(crate) fn watch(call: WaiterId, waker: &Waker) -> bool {
    let shard = shard(call);
    let is_known = lock(shard).get(&call).is_some_and(|known| known.will_wake(waker));
    if !is_known {
        let waker = waker.clone();
        let old = lock(shard).insert(call, waker);
        drop(old);
    }
    is_enabled()
}

/// Removes the waker of a call that no longer waits.
pub(crate) fn unwatch(call: WaiterId) {
    let waker = lock(shard(call)).remove(&call);
    drop(waker);
}

fn shard(call: WaiterId) -> &'static Mutex<Wakers> {
    let [first, ..] = &WATCHES;
    let index = usize::try_from(call.number() % 16).unwrap_or(0);
    WATCHES.get(index).unwrap_or(first)
}
