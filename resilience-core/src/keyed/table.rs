//! The table of states: sharded, bounded, and with a bounded search for stale states.

use core::mem;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::sync::Arc;

use super::{KeyGroup, KeyState};
use crate::clock::Timestamp;
use crate::key_hash::{KeyHash, scaled};
use crate::sync::{AtomicU64, Mutex, lock};

/// The number of keys in a shard of a full table, on average, within the bounds below. So few keys
/// move in a fraction of a microsecond, and two calls seldom need the same lock.
const KEYS_PER_SHARD: u32 = 16;

/// The fewest shards: so that calls with different keys seldom share a lock.
const MIN_SHARDS: u32 = if cfg!(resilience_loom) { 1 } else { 16 };

/// The most shards: 2.6 MB for a table with an enormous limit.
const MAX_SHARDS: u32 = 1 << 16;

/// Each new key pays for this many entries of the search for a stale state.
const STEPS_PER_KEY: u32 = 4;

/// The longest search. A table without a search in the last [`REST`] is searched this far, so the
/// only stale state of a table up to this size is found. Any later search within [`REST`] is paid
/// by new keys, so a flood of new keys costs a constant time per key.
const MAX_STEPS: u32 = 1024;

/// The search visits at most this many entries under the lock of a shard at once: known keys of the
/// shard wait for the lock.
const STEPS_PER_LOCK: usize = 16;

const REST: Duration = Duration::from_secs(1);

/// A key and its state. Half a cache line.
#[derive(Debug)]
struct Entry<T> {
    key: KeyHash,
    value: Arc<T>,
    /// The number of calls with the key.
    calls: u32,
    /// The period of the last use.
    period: u16,
    /// Whether the key was used again since the last visit of the search.
    used: bool,
}

/// A key with its shard, and with its place inside of the shard: the two halves of a product, so
/// that one half of the hash serves for both.
#[derive(Clone, Copy)]
struct PlacedKey {
    key: KeyHash,
    shard: usize,
    place: u64,
}

/// The entries with a part of the keys, in the order of the hashes. Hashes are spread evenly, so
/// the hash tells the place, up to a few entries. No space is empty between the entries.
struct Entries<T>(Vec<Entry<T>>);

impl<T> Entries<T> {
    /// Returns the index of a key, or the index at which the key would have its place.
    #[inline]
    fn find(&self, key: PlacedKey) -> Result<usize, usize> {
        let PlacedKey { key, place, .. } = key;
        let (mut index, _) = scaled(place, self.0.len());
        // Most often the key is here or behind the place, and the halves that differ decide.
        while let Some(entry) = self.0.get(index) {
            if entry.key.spread() >= key.spread() {
                if entry.key == key {
                    return Ok(index);
                }
                break;
            }
            index += 1;
        }
        self.find_around(index, key)
    }

    /// Returns the index of a key, from an index near the key on.
    fn find_around(&self, mut index: usize, key: KeyHash) -> Result<usize, usize> {
        while self.0.get(index).is_some_and(|entry| entry.key < key) {
            index += 1;
        }
        while let Some(before) = index.checked_sub(1) {
            if self.0.get(before).is_some_and(|entry| entry.key < key) {
                break;
            }
            index = before;
        }
        let is_found = self.0.get(index).is_some_and(|entry| entry.key == key);
        if is_found { Ok(index) } else { Err(index) }
    }

    #[inline]
    fn get_mut(&mut self, key: PlacedKey) -> Option<&mut Entry<T>> {
        let index = self.find(key).ok()?;
        self.0.get_mut(index)
    }

    fn insert(&mut self, index: usize, entry: Entry<T>) {
        if self.0.len() == self.0.capacity() {
            // Small steps: the slack of a `Vec` would be half of the memory.
            self.0.reserve_exact(2 + self.0.len() / 16);
        }
        self.0.insert(index.min(self.0.len()), entry);
    }
}

/// The state of the search for stale entries, which goes around the table like the hand of a clock.
#[derive(Debug, Default)]
struct Search {
    shard: usize,
    entry: usize,
    /// The number of entries that the search may visit.
    credit: u32,
    last: Option<Timestamp>,
}

pub(super) struct Table<T> {
    max: u32,
    /// The number of entries, and of entries about to be inserted.
    len: AtomicU64,
    shards: Box<[Mutex<Entries<T>>]>,
    search: Mutex<Search>,
    group: Arc<KeyGroup>,
}

/// Room for one entry.
pub(super) struct Room<'t, T> {
    table: &'t Table<T>,
    is_used: bool,
    /// Whether the room was made by an eviction.
    pub(super) is_evicted: bool,
}

impl<T> Table<T> {
    pub(super) fn new(max: u32, group: Arc<KeyGroup>) -> Self {
        let shards = max.div_ceil(KEYS_PER_SHARD).clamp(MIN_SHARDS, MAX_SHARDS);
        Self {
            max,
            len: AtomicU64::new(0),
            shards: (0..shards).map(|_| Mutex::new(Entries(Vec::new()))).collect(),
            search: Mutex::new(Search::default()),
            group,
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.len.load(Relaxed)).unwrap_or(u32::MAX)
    }

    #[inline]
    fn placed(&self, key: KeyHash) -> PlacedKey {
        let (shard, place) = scaled(key.spread(), self.shards.len());
        PlacedKey { key, shard, place }
    }

    /// Returns the shard of a key. Every table has shards.
    #[inline]
    fn shard(&self, key: PlacedKey) -> Option<&Mutex<Entries<T>>> {
        self.shards.get(key.shard)
    }

    pub(super) fn group(&self) -> &Arc<KeyGroup> {
        &self.group
    }

    /// Returns the state of a known key.
    #[inline]
    pub(super) fn get(&self, key: KeyHash) -> Option<Arc<T>> {
        self.use_known(key, Arc::clone)
    }

    /// Uses the state of a known key under the lock of the shard. `act` runs no code of the user.
    #[inline]
    pub(super) fn use_known<R>(&self, key: KeyHash, act: impl FnOnce(&Arc<T>) -> R) -> Option<R> {
        let key = self.placed(key);
        let mut shard = lock(self.shard(key)?);
        let entry = shard.get_mut(key)?;
        entry.used = true;
        entry.calls = entry.calls.saturating_add(1);
        self.group.note_use(&mut entry.period);
        Some(act(&entry.value))
    }

    /// Passes the hash, the number of calls and the state of each key to `read`. No lock is held
    /// meanwhile: a policy that follows a setting runs the wakers of waiting calls.
    pub(super) fn for_each(&self, read: &mut impl FnMut(u64, u64, &Arc<T>)) {
        let mut entries = Vec::new();
        for shard in &self.shards {
            entries.extend(lock(shard).0.iter().map(|Entry { key, value, calls, .. }| {
                (key.spread(), u64::from(*calls), Arc::clone(value))
            }));
            for (key, calls, value) in entries.drain(..) {
                read(key, calls, &value);
            }
        }
    }

    #[cfg(all(test, not(resilience_loom)))]
    pub(super) fn peek(&self, key: KeyHash) -> Arc<T> {
        let key = self.placed(key);
        let shard = self.shard(key).expect("a shard");
        Arc::clone(&lock(shard).get_mut(key).expect("a known key").value)
    }
}

impl<T: KeyState> Table<T> {
    /// Makes room for a new entry. Returns `None` if the table is full and the search finds no
    /// stale entry.
    pub(super) fn reserve(&self, now: impl FnOnce() -> Timestamp) -> Option<Room<'_, T>> {
        let one_more = |len| (len < u64::from(self.max)).then_some(len + 1);
        let is_reserved = self.len.fetch_update(Relaxed, Relaxed, one_more).is_ok();
        // An evicted entry leaves its part of `len` to the new entry.
        let is_evicted = !is_reserved && self.evict(now());
        let room = || Room { table: self, is_used: false, is_evicted };
        (is_reserved || is_evicted).then(room)
    }

    /// Evicts a stale entry. An entry used since the last visit stays if an unused entry is near.
    fn evict(&self, now: Timestamp) -> bool {
        let mut search = lock(&self.search);
        let mut steps = search.start(now, self.len());
        let mut second_best = None;
        let mut evicted = None;
        // The search ends in the shard where it starts, and an empty shard takes no step.
        let mut shards_left = self.shards.len() + 1;
        while steps > 0 && shards_left > 0 && evicted.is_none() {
            let Some(shard) = self.shards.get(search.shard) else { break };
            let mut shard = lock(shard);
            let pause = search.entry.saturating_add(STEPS_PER_LOCK);
            while search.entry < pause && steps > 0 {
                let Some(entry) = shard.0.get_mut(search.entry) else { break };
                (steps, search.credit) = (steps - 1, search.credit.saturating_sub(1));
                if is_evictable(entry, now) {
                    if !mem::take(&mut entry.used) {
                        evicted = Some(shard.0.remove(search.entry).value);
                        break;
                    }
                    if second_best.is_none() {
                        second_best = Some(entry.key);
                        steps = steps.min(STEPS_PER_KEY);
                    }
                }
                search.entry += 1;
            }
            if evicted.is_none() && search.entry >= shard.0.len() {
                (search.shard, search.entry) = ((search.shard + 1) % self.shards.len(), 0);
                shards_left -= 1;
            }
        }
        drop(search);
        let evicted = evicted.or_else(|| self.evict_if_evictable(second_best?, now));
        evicted.is_some()
    }

    fn evict_if_evictable(&self, key: KeyHash, now: Timestamp) -> Option<Arc<T>> {
        let key = self.placed(key);
        let mut shard = lock(self.shard(key)?);
        let index = shard.find(key).ok()?;
        let is_evictable = is_evictable(shard.0.get(index)?, now);
        is_evictable.then(|| shard.0.remove(index).value)
    }
}

/// Returns whether no call uses the entry, and a new entry would decide as this entry does.
fn is_evictable<T: KeyState>(entry: &Entry<T>, now: Timestamp) -> bool {
    // Under the lock of the shard no call can start to use the entry.
    Arc::strong_count(&entry.value) == 1 && entry.value.is_stale(now)
}

impl Search {
    /// Returns the number of steps that a search may take: at most once around the table.
    fn start(&mut self, now: Timestamp, len: u32) -> u32 {
        let is_rested = self.last.is_none_or(|last| now.since(last) >= REST || last > now);
        if is_rested {
            (self.credit, self.last) = (MAX_STEPS, Some(now));
        }
        self.credit = self.credit.saturating_add(STEPS_PER_KEY).min(MAX_STEPS);
        self.credit.min(len)
    }
}

impl<T> Room<'_, T> {
    /// Inserts a value for a new key. If another call has inserted the key in the meantime,
    /// returns the value of the other call.
    pub(super) fn insert(mut self, key: KeyHash, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let placed = self.table.placed(key);
        let Some(shard) = self.table.shard(placed) else { return value };
        let mut shard = lock(shard);
        let known = match shard.find(placed) {
            Ok(index) => shard.0.get(index).map(|known| Arc::clone(&known.value)),
            Err(index) => {
                let (own, period) = (Arc::clone(&value), self.table.group.first_use());
                shard.insert(index, Entry { key, value: own, calls: 1, period, used: false });
                self.is_used = true;
                None
            }
        };
        // A hook of the user that is dropped with the value may use the table.
        drop(shard);
        known.unwrap_or(value)
    }
}

/// Returns unused room, also if the creation of the value panics.
impl<T> Drop for Room<'_, T> {
    fn drop(&mut self) {
        if !self.is_used {
            self.table.len.fetch_sub(1, Relaxed);
        }
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::thread;

    use super::*;
    use crate::registry::facts::Facts;
    use crate::registry::{Policy, PolicyFigures, PolicyKind, Setting};
    use crate::settings::{Check, Unchangeable};

    struct Fixed {
        is_stale: bool,
        figures: PolicyFigures,
    }

    impl KeyState for Fixed {
        fn is_stale(&self, _: Timestamp) -> bool {
            self.is_stale
        }
    }

    impl Policy for Fixed {
        fn kind(&self) -> PolicyKind {
            PolicyKind::Bulkhead
        }

        fn name(&self) -> &'static str {
            "fixed"
        }

        fn own_figures(&self) -> &PolicyFigures {
            &self.figures
        }

        fn settings(&self) -> Vec<Setting> {
            Vec::new()
        }

        fn code(&self) -> Box<dyn Check> {
            Box::new(Unchangeable)
        }

        fn facts(&self) -> Facts {
            Facts::Unknown
        }
    }

    fn insert(table: &Table<Fixed>, key: u64, stale: bool) -> bool {
        let key = KeyHash::from_halves([key, 0]);
        if table.get(key).is_some() {
            return true;
        }
        let room = table.reserve(|| Timestamp::from_nanos(1));
        room.map(|room| {
            let fixed = Fixed { is_stale: stale, figures: PolicyFigures::new() };
            room.insert(key, fixed)
        })
        .is_some()
    }

    fn count(table: &Table<Fixed>) -> (u64, usize) {
        let entries = table.shards.iter().map(|shard| lock(shard).0.len()).sum();
        (table.len.load(Relaxed), entries)
    }

    fn in_two_threads(
        keys: [(u64, bool); 2],
        check: impl Fn([bool; 2], (u64, usize)) + Sync + Send + 'static,
    ) {
        loom::model(move || {
            let table = loom::sync::Arc::new(Table::new(1, Arc::default()));
            let other = {
                let table = loom::sync::Arc::clone(&table);
                thread::spawn(move || insert(&table, keys[0].0, keys[0].1))
            };
            let mine = insert(&table, keys[1].0, keys[1].1);
            let found = [mine, other.join().unwrap()];
            check(found, count(&table));
        });
    }

    #[test]
    fn the_limit_of_keys_holds() {
        in_two_threads([(1, false), (2, false)], |found, count| {
            assert_eq!((found.iter().filter(|found| **found).count(), count), (1, (1, 1)));
        });
    }

    #[test]
    fn an_evicted_entry_is_replaced_and_no_room_is_lost() {
        in_two_threads([(1, true), (2, true)], |found, (len, entries)| {
            assert!(found.contains(&true));
            assert_eq!((len, entries), (1, 1));
        });
    }

    #[test]
    fn a_key_of_two_threads_has_one_entry() {
        in_two_threads([(1, false), (1, false)], |found, (len, entries)| {
            assert!(found.contains(&true));
            assert_eq!((len, entries), (1, 1));
        });
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    fn key(place: u64) -> PlacedKey {
        PlacedKey { key: KeyHash::from_halves([place, 0]), shard: 0, place }
    }

    fn entries(places: &[u64]) -> Entries<u64> {
        let mut entries = Entries(Vec::new());
        for place in places {
            let entry = Entry {
                key: key(*place).key,
                value: Arc::new(*place),
                calls: 1,
                period: 0,
                used: false,
            };
            let index = entries.find(key(*place)).expect_err("a new key");
            entries.insert(index, entry);
        }
        entries
    }

    #[test]
    fn keys_are_found_also_where_the_hashes_are_not_spread_evenly() {
        let low: Vec<u64> = (0..100).collect();
        let high: Vec<u64> = (0..100).map(|place| u64::MAX - place).collect();
        let mixed: Vec<u64> =
            (0..100_u64).map(|place| place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        for places in [&low, &high, &mixed] {
            let mut entries = entries(places);
            assert!(entries.0.is_sorted_by_key(|entry| entry.key));
            for place in places {
                assert_eq!(entries.get_mut(key(*place)).map(|entry| *entry.value), Some(*place));
            }
            assert!(entries.get_mut(key(1 << 40)).is_none());
        }
    }

    #[test]
    fn keys_with_equal_first_halves_are_told_apart() {
        let key = |second| PlacedKey {
            key: KeyHash::from_halves([1 << 63, second]),
            shard: 0,
            place: 1 << 63,
        };
        let mut entries: Entries<u64> = entries(&[1, u64::MAX]);
        for second in [5, 1, 9, 3, 7] {
            let index = entries.find(key(second)).expect_err("a new key");
            let (value, key) = (Arc::new(second), key(second).key);
            entries.insert(index, Entry { key, value, calls: 1, period: 0, used: false });
        }
        assert!(entries.0.is_sorted_by_key(|entry| entry.key));
        for second in 0..10 {
            let found = entries.get_mut(key(second)).map(|entry| *entry.value);
            assert_eq!(found, (second % 2 == 1).then_some(second));
        }
    }

    #[test]
    fn entries_leave_little_memory_unused() {
        assert_eq!(size_of::<Entry<u64>>(), 32);
        let places: Vec<u64> = (0..1000_u64).map(|place| place << 32).collect();
        for len in [1, 64, 1000] {
            let entries = entries(&places[..len]);
            assert!(entries.0.capacity() <= len + 2 + len / 16, "{len}");
        }
    }

    #[test]
    fn a_shard_of_a_full_table_has_few_keys() {
        for (max, shards) in [(1, 16), (10_000, 625), (1_000_000, 62_500), (u32::MAX, 65_536)] {
            assert_eq!(Table::<u64>::new(max, Arc::default()).shards.len(), shards);
        }
    }
}
