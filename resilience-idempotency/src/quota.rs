//! The limits of the memory store: records, bytes of outcomes, and the share of a scope.
//!
//! A scope may use at most [`SHARE`] times the free room. One scope alone fills four fifths of the
//! store, and leaves room for the other scopes. The rule is the dynamic threshold for shared
//! buffers of Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
//! switches", IEEE/ACM Transactions on Networking 6(2), 1998.

use core::fmt;
use core::hash::BuildHasherDefault;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use crate::key::ScopeKey;
use crate::shard::KeyHasher;
use crate::store_error::{StoreError, StoreResult};

/// The factor of the dynamic threshold: the largest ratio of the use of a scope to the free room.
const SHARE: usize = 4;

/// The longest outcome that counts no bytes, as a part of its record. The mark of an outcome that
/// was not stored therefore always has room.
const SHORT_OUTCOME: usize = 64;

const SHARDS: usize = 16;

/// The records, and the bytes of their outcomes, of a store or of a scope.
struct Usage {
    records: AtomicUsize,
    bytes: AtomicUsize,
}

impl Usage {
    const fn new() -> Self {
        Self { records: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Adds records and bytes if both stay within the limits.
    fn add(&self, records: usize, bytes: usize, limit: Limit) -> bool {
        if !try_add(&self.records, records, limit.records) {
            return false;
        }
        let fits = try_add(&self.bytes, bytes, limit.bytes);
        if !fits {
            self.records.fetch_sub(records, Relaxed);
        }
        fits
    }

    fn subtract(&self, records: usize, bytes: usize) {
        self.records.fetch_sub(records, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}

fn try_add(counter: &AtomicUsize, more: usize, limit: usize) -> bool {
    let sum = |now: usize| now.checked_add(more).filter(|sum| *sum <= limit);
    more == 0 || counter.fetch_update(Relaxed, Relaxed, sum).is_ok()
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    records: usize,
    bytes: usize,
}

/// The use of a store and of its scopes.
pub(super) struct Quotas {
    limit: Limit,
    max_records_per_scope: usize,
    total: Usage,
    scopes: [Mutex<Option<Scopes>>; SHARDS],
}

type Scopes = HashMap<ScopeKey, Arc<ScopeUsage>, BuildHasherDefault<KeyHasher>>;

/// The use of one scope.
pub(super) struct ScopeUsage {
    scope: ScopeKey,
    usage: Usage,
}

/// The room of one record. The memory store keeps the room beside the record.
pub(super) struct Room {
    scope: Option<Arc<ScopeUsage>>,
    bytes: usize,
}

impl Quotas {
    pub(super) const fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            limit: Limit { records: max_records, bytes: max_bytes },
            max_records_per_scope: usize::MAX,
            total: Usage::new(),
            scopes: [const { Mutex::new(None) }; SHARDS],
        }
    }

    /// Returns the same limits, without any use.
    pub(super) const fn fresh(&self) -> Self {
        let mut fresh = Self::new(self.limit.records, self.limit.bytes);
        fresh.max_records_per_scope = self.max_records_per_scope;
        fresh
    }

    pub(super) const fn set_max_records(&mut self, records: usize) {
        self.limit.records = records;
    }

    pub(super) const fn set_max_bytes(&mut self, bytes: usize) {
        self.limit.bytes = bytes;
    }

    pub(super) const fn set_max_records_per_scope(&mut self, records: usize) {
        self.max_records_per_scope = records;
    }

    pub(super) fn records(&self) -> usize {
        self.total.records.load(Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        self.total.bytes.load(Relaxed)
    }

    pub(super) fn max_records(&self) -> usize {
        self.limit.records
    }

    /// Reserves the room of a new record, without an outcome.
    ///
    /// # Errors
    /// [`Full`](crate::StoreErrorKind::Full) if the store or the share of the scope has no room.
    pub(super) fn reserve(&self, scope: Option<ScopeKey>) -> StoreResult<Room> {
        let room = Room { scope: scope.map(|scope| self.usage(scope)), bytes: 0 };
        match self.add(&room, 1, 0) {
            Ok(()) => Ok(room),
            Err(full) => {
                self.forget_unused(room);
                Err(StoreError::full(full))
            }
        }
    }

    /// Changes the room of a record to the room for an outcome of `outcome` bytes.
    ///
    /// # Errors
    /// [`Full`](crate::StoreErrorKind::Full) if the outcome has no room.
    pub(super) fn resize(&self, room: &mut Room, outcome: usize) -> StoreResult<()> {
        let bytes = outcome.saturating_sub(SHORT_OUTCOME);
        if bytes == room.bytes {
            return Ok(());
        }
        match bytes.checked_sub(room.bytes) {
            Some(more) => self.add(room, 0, more).map_err(StoreError::full)?,
            None => self.subtract(room, 0, room.bytes.saturating_sub(bytes)),
        }
        room.bytes = bytes;
        Ok(())
    }

    /// Releases the room of a removed record.
    pub(super) fn release(&self, room: Room) {
        self.subtract(&room, 1, room.bytes);
        self.forget_unused(room);
    }

    fn add(&self, room: &Room, records: usize, bytes: usize) -> Result<(), Exhausted> {
        if let Some(scope) = &room.scope {
            let share = self.share();
            if !scope.usage.add(records, bytes, share) {
                return Err(Exhausted::Scope(share));
            }
        }
        if !self.total.add(records, bytes, self.limit) {
            if let Some(scope) = &room.scope {
                scope.usage.subtract(records, bytes);
            }
            return Err(Exhausted::Store(self.limit));
        }
        Ok(())
    }

    fn subtract(&self, room: &Room, records: usize, bytes: usize) {
        self.total.subtract(records, bytes);
        if let Some(scope) = &room.scope {
            scope.usage.subtract(records, bytes);
        }
    }

    /// Returns the current limits of a scope.
    fn share(&self) -> Limit {
        let share = |limit: usize, used: usize| limit.saturating_sub(used).saturating_mul(SHARE);
        let records = share(self.limit.records, self.records());
        Limit {
            records: records.min(self.max_records_per_scope),
            bytes: share(self.limit.bytes, self.bytes()),
        }
    }

    fn shard(&self, scope: &ScopeKey) -> &Mutex<Option<Scopes>> {
        let index = usize::from(scope.0.last().copied().unwrap_or_default()) % SHARDS;
        self.scopes.get(index).unwrap_or(&self.scopes[0])
    }

    fn usage(&self, scope: ScopeKey) -> Arc<ScopeUsage> {
        let mut scopes = self.shard(&scope).lock().unwrap_or_else(PoisonError::into_inner);
        let scopes = scopes.get_or_insert_default();
        let unused = || Arc::new(ScopeUsage { scope, usage: Usage::new() });
        Arc::clone(scopes.entry(scope).or_insert_with(unused))
    }

    /// Removes the counters of a scope without records. The last of several concurrent releases
    /// removes them, so every release looks under the lock.
    fn forget_unused(&self, room: Room) {
        let Some(used) = room.scope else { return };
        let scope = used.scope;
        drop(used);
        let mut scopes = self.shard(&scope).lock().unwrap_or_else(PoisonError::into_inner);
        let Some(scopes) = scopes.as_mut() else { return };
        // The map holds the only handle, so no record and no reservation uses the counters.
        if scopes.get(&scope).is_some_and(|usage| Arc::strong_count(usage) == 1) {
            scopes.remove(&scope);
        }
    }
}

/// The reason of a full store.
#[derive(Debug)]
enum Exhausted {
    Store(Limit),
    Scope(Limit),
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(Limit { records, bytes }) => write!(
                f,
                "the memory store has reached its `max_records` ({records}) or `max_bytes` ({bytes})"
            ),
            Self::Scope(Limit { records, bytes }) => write!(
                f,
                "the scope of the call has reached its share of the memory store: {records} records, \
                 or {bytes} bytes of outcomes"
            ),
        }
    }
}

impl Error for Exhausted {}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    fn scope(number: u8) -> ScopeKey {
        ScopeKey([number; 32])
    }

    fn fill(quotas: &Quotas, scope: Option<ScopeKey>) -> Vec<Room> {
        core::iter::from_fn(|| quotas.reserve(scope).ok()).collect()
    }

    #[test]
    fn a_scope_fills_four_fifths_of_the_store() {
        let quotas = Quotas::new(1000, usize::MAX);
        assert_eq!(fill(&quotas, Some(scope(1))).len(), 800);
        // 200 are free. The next scope gets four fifths of them.
        assert_eq!(fill(&quotas, Some(scope(2))).len(), 160);
        assert_eq!(fill(&quotas, None).len(), 40, "the global scope has no share");
    }

    #[test]
    fn released_room_can_be_reserved_again() {
        let quotas = Quotas::new(100, 1000);
        for round in 0..3 {
            let mut rooms = fill(&quotas, Some(scope(round)));
            assert_eq!(rooms.len(), 80);
            quotas.resize(&mut rooms[0], 464).expect("room");
            quotas.resize(&mut rooms[1], 464).expect("room");
            assert!(quotas.resize(&mut rooms[2], 464).is_err(), "more than the share");
            quotas.resize(&mut rooms[2], 64).expect("a short outcome");
            assert_eq!(quotas.bytes(), 800);
            for room in rooms {
                quotas.release(room);
            }
            assert_eq!((quotas.records(), quotas.bytes()), (0, 0));
            let kept = quotas
                .scopes
                .iter()
                .filter_map(|scopes| scopes.lock().expect("no panic").as_ref().map(Scopes::len));
            assert_eq!(kept.sum::<usize>(), 0, "no counters of a scope without records are left");
        }
    }

    #[test]
    fn an_outcome_takes_room_and_returns_it() {
        let quotas = Quotas::new(10, 1000);
        let mut room = quotas.reserve(None).expect("room");
        quotas.resize(&mut room, 1064).expect("room");
        assert_eq!(quotas.bytes(), 1000);
        assert!(quotas.resize(&mut room, 1065).is_err());
        assert_eq!(quotas.bytes(), 1000, "a refused outcome changes nothing");
        quotas.resize(&mut room, 0).expect("less");
        assert_eq!(quotas.bytes(), 0);
    }
}
