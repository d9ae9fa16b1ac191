//! A policy per key: bounded, and shared by concurrent calls with the same key.

use core::fmt;
use core::hash::{BuildHasher, Hash};
use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::function_state::TestReset;

/// A value that can be evicted when there are too many keys.
pub trait Evictable {
    /// Returns whether the value equals a new value, so that an eviction loses nothing.
    fn is_pristine(&self) -> bool;
}

/// A `T` per key.
///
/// Stores two 64-bit hashes of the key, with secret seeds of the process, instead of the key.
/// Collisions of 128 bits are negligible. Any `Hash` works, borrowed keys too.
pub struct Keyed<T> {
    make: fn() -> T,
    max: u32,
    seeds: OnceLock<[RandomState; 2]>,
    entries: Mutex<Option<Entries<T>>>,
}

struct Entries<T> {
    known: HashMap<[u64; 2], Entry<T>>,
    /// Counts the uses.
    now: u64,
}

struct Entry<T> {
    value: Arc<T>,
    used: u64,
}

impl<T> Keyed<T> {
    /// Creates a registry for at most `max` keys; 0 counts as 1.
    #[must_use]
    pub const fn new(max: u32, make: fn() -> T) -> Self {
        Self { make, max, seeds: OnceLock::new(), entries: Mutex::new(None) }
    }

    fn entries(&self) -> MutexGuard<'_, Option<Entries<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().as_ref().map_or(0, |entries| entries.known.len())
    }

    /// Returns whether the registry has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Evictable> Keyed<T> {
    /// Returns the value for `key`, and creates the value if missing.
    ///
    /// If the registry is full, evicts the least recently used values among the pristine values
    /// without a user. If no value can be evicted, the new value serves this call only.
    pub fn get(&self, key: &(impl Hash + ?Sized)) -> Arc<T> {
        let seeds = self.seeds.get_or_init(|| [RandomState::new(), RandomState::new()]);
        // Hashed before the lock is taken: `Hash` may be user code.
        let key = seeds.each_ref().map(|seed| seed.hash_one(key));
        let mut guard = self.entries();
        let entries = guard.get_or_insert_with(|| Entries { known: HashMap::new(), now: 0 });
        entries.now = entries.now.wrapping_add(1);
        if let Some(entry) = entries.known.get_mut(&key) {
            entry.used = entries.now;
            return Arc::clone(&entry.value);
        }
        let value = Arc::new((self.make)());
        let max = usize::try_from(self.max.max(1)).unwrap_or(usize::MAX);
        if entries.known.len() >= max {
            entries.evict();
        }
        if entries.known.len() < max {
            entries.known.insert(key, Entry { value: Arc::clone(&value), used: entries.now });
        }
        value
    }
}

impl<T: Evictable> Entries<T> {
    /// Evicts an eighth of the entries at once, so that a flood of new keys does not scan all
    /// entries each time.
    fn evict(&mut self) {
        let idle =
            |entry: &Entry<T>| Arc::strong_count(&entry.value) == 1 && entry.value.is_pristine();
        let mut uses: Vec<u64> =
            self.known.values().filter(|entry| idle(entry)).map(|entry| entry.used).collect();
        let room = (self.known.len() / 8).max(1).min(uses.len());
        let Some(last) = room.checked_sub(1) else { return };
        let (_, last, _) = uses.select_nth_unstable(last);
        let last = *last;
        self.known.retain(|_, entry| entry.used > last || !idle(entry));
    }
}

impl<T: Send + Sync + 'static> TestReset for Keyed<T> {
    fn fresh(&self) -> Self {
        Self::new(self.max, self.make)
    }
}

impl<T> fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("max", &self.max)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    #[derive(Debug, Default)]
    struct Thing {
        busy: AtomicBool,
    }

    impl Evictable for Thing {
        fn is_pristine(&self) -> bool {
            !self.busy.load(Relaxed)
        }
    }

    #[test]
    fn equal_keys_share_a_value() {
        let keyed = Keyed::new(10, Thing::default);
        let a = keyed.get("a");
        assert!(Arc::ptr_eq(&a, &keyed.get(&String::from("a"))));
        assert!(!Arc::ptr_eq(&a, &keyed.get("b")));
        assert!(!Arc::ptr_eq(&keyed.get(&(1, "x")), &keyed.get(&(2, "x"))));
    }

    #[test]
    fn the_least_recently_used_idle_value_is_evicted() {
        let keyed = Keyed::new(8, Thing::default);
        for key in 0..8 {
            keyed.get(&key).busy.store(key < 3, Relaxed);
        }
        let held = keyed.get(&3);
        keyed.get(&4); // used again: 5 is now the oldest value that can be evicted
        let before = [4, 5, 6, 7].map(|key| Arc::downgrade(&keyed.get(&key)));
        keyed.get(&4);
        keyed.get(&5);
        let new = Arc::downgrade(&keyed.get(&100));
        assert_eq!(keyed.len(), 8);
        assert!(new.upgrade().is_some());
        let alive: Vec<bool> = before.iter().map(|weak| weak.upgrade().is_some()).collect();
        assert_eq!(alive, [true, true, false, true]);
        assert!((0..3).all(|key| keyed.get(&key).busy.load(Relaxed)));
        assert!(Arc::ptr_eq(&held, &keyed.get(&3)));
    }

    #[test]
    fn the_registry_stays_within_its_limit() {
        let keyed = Keyed::new(100, Thing::default);
        for key in 0..10_000 {
            keyed.get(&key);
            assert!(keyed.len() <= 100);
        }
        for key in 0..200 {
            keyed.get(&key).busy.store(true, Relaxed);
        }
        // All entries are busy: a new value serves one call only.
        assert_eq!(keyed.len(), 100);
        let lost = keyed.get("new");
        assert!(!Arc::ptr_eq(&lost, &keyed.get("new")));
        assert!(!Keyed::new(0, Thing::default).get("one").busy.load(Relaxed));
    }
}
