//! The table of states: sharded, bounded, and with a bounded search for stale states.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use core::mem;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;

use super::{KeyGroup, KeyedPolicy};
use crate::clock::Timestamp;
use crate::sync::{AtomicU64, Mutex, lock};

/// The number of shards. New keys and known keys seldom share a lock.
const SHARDS: usize = if cfg!(resilience_loom) { 1 } else { 16 };

/// Each new key pays for this many entries of the search for a stale state.
const STEPS_PER_KEY: u32 = 4;

/// The longest search. A table without a search in the last [`REST`] is searched this far, so the
/// only stale state of a table up to this size is found. Any later search within [`REST`] is paid
/// by new keys, so a flood of new keys costs a constant time per key.
const MAX_STEPS: u32 = 1024;

const REST: Duration = Duration::from_secs(1);

/// The seeded hashes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash {
    shard: u64,
    entry: u64,
}

impl KeyHash {
    pub(super) fn new(shard: u64, entry: u64) -> Self {
        Self { shard, entry }
    }
}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.entry);
    }
}

/// The hasher of values that are hashes already.
#[derive(Default)]
struct Unchanged(u64);

impl Hasher for Unchanged {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Debug)]
struct Entry<T> {
    key: KeyHash,
    value: Arc<T>,
    /// Whether the key was used again since the last visit of the search.
    used: bool,
    /// The number of calls with the key.
    calls: u32,
    /// The period of the last use.
    period: u32,
}

/// The entries with a part of the keys. Aligned so that no two shards share a cache line.
#[repr(align(128))]
struct Shard<T>(Mutex<Entries<T>>);

struct Entries<T> {
    index: HashMap<KeyHash, u32, BuildHasherDefault<Unchanged>>,
    entries: Vec<Entry<T>>,
}

impl<T> Entries<T> {
    fn get_mut(&mut self, key: KeyHash) -> Option<&mut Entry<T>> {
        let index = usize::try_from(*self.index.get(&key)?).ok()?;
        self.entries.get_mut(index)
    }

    fn insert(&mut self, key: KeyHash, value: Arc<T>, period: u32) {
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.index.insert(key, index);
        self.entries.push(Entry { key, value, used: false, calls: 1, period });
    }

    /// Removes an entry. The last entry takes the place of the removed entry.
    fn remove(&mut self, index: usize) -> Option<Arc<T>> {
        if index >= self.entries.len() {
            return None;
        }
        let removed = self.entries.swap_remove(index);
        self.index.remove(&removed.key);
        if let (Some(moved), Ok(index)) = (self.entries.get(index), u32::try_from(index)) {
            self.index.insert(moved.key, index);
        }
        Some(removed.value)
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
    shards: [Shard<T>; SHARDS],
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
        let shard =
            |_| Shard(Mutex::new(Entries { index: HashMap::default(), entries: Vec::new() }));
        Self {
            max,
            len: AtomicU64::new(0),
            shards: core::array::from_fn(shard),
            search: Mutex::new(Search::default()),
            group,
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.len.load(Relaxed)).unwrap_or(u32::MAX)
    }

    fn shard(&self, key: KeyHash) -> &Mutex<Entries<T>> {
        let [Shard(first), ..] = &self.shards;
        let index = usize::try_from(key.shard % SHARDS as u64).unwrap_or(0);
        self.shards.get(index).map_or(first, |Shard(shard)| shard)
    }

    pub(super) fn group(&self) -> &Arc<KeyGroup> {
        &self.group
    }

    /// Returns the state of a known key.
    pub(super) fn get(&self, key: KeyHash) -> Option<Arc<T>> {
        let mut shard = lock(self.shard(key));
        let entry = shard.get_mut(key)?;
        entry.used = true;
        entry.calls = entry.calls.saturating_add(1);
        self.group.note_use(&mut entry.period);
        Some(Arc::clone(&entry.value))
    }

    /// Passes the hash, the number of calls and the state of each key to `read`, under the lock of
    /// the shard.
    pub(super) fn for_each(&self, read: &mut impl FnMut(u64, u64, &Arc<T>)) {
        for Shard(shard) in &self.shards {
            for Entry { key, value, calls, .. } in &lock(shard).entries {
                read(key.entry, u64::from(*calls), value);
            }
        }
    }

    #[cfg(all(test, not(resilience_loom)))]
    pub(super) fn peek(&self, key: KeyHash) -> Arc<T> {
        Arc::clone(&lock(self.shard(key)).get_mut(key).expect("a known key").value)
    }
}

impl<T: KeyedPolicy> Table<T> {
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
        let mut shards_left = SHARDS + 1;
        while steps > 0 && shards_left > 0 && evicted.is_none() {
            let Some(Shard(shard)) = self.shards.get(search.shard) else { break };
            let mut shard = lock(shard);
            while let (Some(entry), true) = (shard.entries.get_mut(search.entry), steps > 0) {
                (steps, search.credit) = (steps - 1, search.credit.saturating_sub(1));
                if is_evictable(entry, now) {
                    if !mem::take(&mut entry.used) {
                        evicted = shard.remove(search.entry);
                        break;
                    }
                    if second_best.is_none() {
                        second_best = Some((search.shard, entry.key));
                        steps = steps.min(STEPS_PER_KEY);
                    }
                }
                search.entry += 1;
            }
            if evicted.is_none() && search.entry >= shard.entries.len() {
                (search.shard, search.entry) = ((search.shard + 1) % SHARDS, 0);
                shards_left -= 1;
            }
        }
        drop(search);
        let evicted = evicted.or_else(|| self.evict_if_evictable(second_best?, now));
        evicted.is_some()
    }

    fn evict_if_evictable(&self, (shard, key): (usize, KeyHash), now: Timestamp) -> Option<Arc<T>> {
        let Shard(shard) = self.shards.get(shard)?;
        let mut shard = lock(shard);
        let entry = shard.get_mut(key)?;
        if !is_evictable(entry, now) {
            return None;
        }
        let index = usize::try_from(*shard.index.get(&key)?).ok()?;
        shard.remove(index)
    }
}

/// Returns whether no call uses the entry, and a new entry would decide as this entry does.
fn is_evictable<T: KeyedPolicy>(entry: &Entry<T>, now: Timestamp) -> bool {
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
        let mut shard = lock(self.table.shard(key));
        if let Some(known) = shard.get_mut(key) {
            let known = Arc::clone(&known.value);
            drop(shard);
            return known;
        }
        shard.insert(key, Arc::clone(&value), self.table.group.first_use());
        self.is_used = true;
        value
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
    use crate::keyed::KeyLabel;
    use crate::registry::facts::Facts;
    use crate::registry::{Policy, PolicyFigures, PolicyKind, Record, Setting};
    use crate::settings::{Check, Unchangeable};

    struct Fixed {
        is_stale: bool,
        figures: PolicyFigures,
    }

    impl KeyedPolicy for Fixed {
        const POLICY: &'static str = "fixed";

        fn is_stale(&self, _: Timestamp) -> bool {
            self.is_stale
        }

        fn policy_name(&self) -> &'static str {
            "fixed"
        }

        fn or_name(self, _: &'static str) -> Self {
            self
        }

        fn with_key_label(self, _: KeyLabel) -> Self {
            self
        }

        fn with_record(self, _: Arc<Record>) -> Self {
            self
        }

        fn key_label(&self) -> Option<&KeyLabel> {
            None
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
        let key = KeyHash::new(0, key);
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
        let [Shard(shard)] = &table.shards;
        (table.len.load(Relaxed), lock(shard).entries.len())
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
