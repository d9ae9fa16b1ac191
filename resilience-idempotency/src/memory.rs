//! The store in the memory of this process.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use core::task::{Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::key::RecordKey;
use crate::record::Record;
use crate::shard::Shard;
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use resilience_core::__internal::TestReset;
use resilience_core::__internal::{Delay, Timestamp, nanos, now};

/// A store in the memory of this process, with virtual time in tests.
///
/// Use the memory store in a single process whose records may end with the process, in functions
/// that are not async, and in tests.
///
/// The store holds at most `max_records` records. A claim beyond the limit fails with
/// [`StoreErrorKind::Full`]; no record is evicted before the expiry. The constructor is a `const
/// fn`, so a store can be a `static`.
///
/// # Examples
/// ```
/// use resilience::idempotent::MemoryStore;
///
/// static STORE: MemoryStore = MemoryStore::new().max_records(10_000);
/// ```
pub struct MemoryStore {
    shards: [Mutex<Option<Shard>>; SHARDS],
    records: AtomicUsize,
    max_records: usize,
    /// The fence of the last claim.
    fence: AtomicU64,
    /// The time of the first claim on both clocks: monotonic, and microseconds since 1970.
    begin: OnceLock<(Timestamp, u64)>,
    /// The number of watchers so far.
    watchers: AtomicU64,
    id: OnceLock<StoreId>,
}

const SHARDS: usize = 16;
const MAX_RECORDS: usize = 100_000;

impl MemoryStore {
    /// Creates an empty store for at most 100 000 records.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            shards: [const { Mutex::new(None) }; SHARDS],
            records: AtomicUsize::new(0),
            max_records: MAX_RECORDS,
            fence: AtomicU64::new(0),
            begin: OnceLock::new(),
            watchers: AtomicU64::new(0),
            id: OnceLock::new(),
        }
    }

    /// Sets the maximum number of records. Default: 100 000.
    #[must_use]
    pub const fn max_records(mut self, records: usize) -> Self {
        self.max_records = records;
        self
    }

    /// Returns the number of records, including expired records that no step has removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.load(Relaxed)
    }

    /// Returns whether the store has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &RecordKey) -> MutexGuard<'_, Option<Shard>> {
        // The map uses the first bytes of the key, so the shard uses the last byte.
        let index = usize::from(key.0.last().copied().unwrap_or_default()) % SHARDS;
        let shard = self.shards.get(index).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more record, if the limit allows.
    fn reserve(&self) -> bool {
        let more = |records: usize| (records < self.max_records).then(|| records.saturating_add(1));
        self.records.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    /// Returns a fence above all fences of this store, and of earlier processes, because systems
    /// that check fences may outlive the process.
    fn next_fence(&self, now: Timestamp) -> u64 {
        let (begin, micros) = *self.begin.get_or_init(|| {
            let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
            (now, nanos(since) / 1000)
        });
        let micros = micros.saturating_add(nanos(now.since(begin)) / 1000);
        let next = |last: u64| micros.max(last.saturating_add(1));
        let before = self.fence.fetch_update(Relaxed, Relaxed, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }

    fn count_removed(&self, records: usize) {
        self.records.fetch_sub(records, Relaxed);
    }

    fn claim_now(&self, request: &ClaimRequest<'_>) -> StoreResult<Claim> {
        let now = now();
        let mut guard = self.shard(request.key);
        let shard = guard.get_or_insert_default();
        let fence = || self.next_fence(now);
        if let Some(claim) = shard.claim(request, fence, now) {
            return Ok(claim);
        }
        // Each insertion removes a few expired records, so that no claim waits for many removals.
        let purged = shard.purge(now, 4);
        self.count_removed(purged.records);
        let claim = self.reserve().then(|| self.insert(shard, request, now));
        drop(guard);
        purged.wake();
        if let Some(claim) = claim {
            return Ok(claim);
        }
        // An expired record of another shard may make room.
        if self.purge_now(1) == 0 || !self.reserve() {
            return Err(StoreError::new(StoreErrorKind::Full));
        }
        let mut guard = self.shard(request.key);
        let shard = guard.get_or_insert_default();
        // Another call may have inserted the record meanwhile.
        if let Some(claim) = shard.claim(request, fence, now) {
            self.count_removed(1);
            return Ok(claim);
        }
        Ok(self.insert(shard, request, now))
    }

    /// Inserts a record whose room is reserved.
    fn insert(&self, shard: &mut Shard, request: &ClaimRequest<'_>, now: Timestamp) -> Claim {
        let record = Record::new(request, self.next_fence(now), now);
        let claim = record.acquired();
        shard.insert(*request.key, record, request.label);
        claim
    }

    fn write(
        &self,
        key: &RecordKey,
        write: impl FnOnce(&mut Record, Timestamp) -> WriteOutcome,
    ) -> WriteOutcome {
        let now = now();
        let mut guard = self.shard(key);
        let Some(shard) = guard.as_mut() else { return WriteOutcome::Fenced };
        let Some(entry) = shard.records.get_mut(key) else { return WriteOutcome::Fenced };
        let written = write(&mut entry.record, now);
        let watchers = core::mem::take(&mut entry.watchers);
        shard.reschedule(key);
        drop(guard);
        for (_, waker) in watchers {
            waker.wake();
        }
        written
    }

    /// Returns the minimum time that the record stays claimed.
    fn lease_left(&self, key: &RecordKey) -> Duration {
        let now = now();
        let guard = self.shard(key);
        let entry = guard.as_ref().and_then(|shard| shard.records.get(key));
        entry.map_or(Duration::ZERO, |entry| entry.record.lease_left(now))
    }

    /// Replaces the waker of a watcher. `None` removes the watcher.
    fn watch(&self, key: &RecordKey, watcher: u64, waker: Option<Waker>) {
        let mut guard = self.shard(key);
        let entry = guard.as_mut().and_then(|shard| shard.records.get_mut(key));
        let Some(entry) = entry else { return };
        let place = entry.watchers.iter().position(|(other, _)| *other == watcher);
        let before = place.map(|place| entry.watchers.swap_remove(place));
        entry.watchers.extend(waker.map(|waker| (watcher, waker)));
        drop(guard);
        // Dropped after the lock, because `drop` of a waker is foreign code.
        drop(before);
    }

    fn purge_now(&self, limit: usize) -> usize {
        let now = now();
        let mut removed: usize = 0;
        for shard in &self.shards {
            let mut guard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(shard) = guard.as_mut() else { continue };
            let purged = shard.purge(now, limit.saturating_sub(removed));
            drop(guard);
            removed = removed.saturating_add(purged.records);
            self.count_removed(purged.records);
            purged.wake();
        }
        removed
    }
}

/// A call that watches a record until drop.
struct Watcher<'s> {
    store: &'s MemoryStore,
    key: &'s RecordKey,
    id: u64,
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.store.watch(self.key, self.id, None);
    }
}

impl Store for MemoryStore {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        self.claim_now(&request)
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        Ok(self.write(key, |record, now| record.renew(token, lease, now)))
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        Ok(self.write(key, |record, now| record.complete(token, outcome, retention, now)))
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        Ok(self.write(key, |record, _| record.release(token)))
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        Ok(self.write(key, |record, now| record.abandon(token, now)))
    }

    /// Returns when the record is written, when its lease ends, or after `hint`.
    async fn changed(&self, key: &RecordKey, hint: Duration) {
        let left = self.lease_left(key);
        let mut wait = pin!(Delay::start(hint.min(left)).0.wait());
        let watcher = Watcher { store: self, key, id: self.watchers.fetch_add(1, Relaxed) };
        core::future::poll_fn(|cx| {
            watcher.store.watch(key, watcher.id, Some(cx.waker().clone()));
            match self.lease_left(key) {
                Duration::ZERO => Poll::Ready(()),
                _ => wait.as_mut().poll(cx),
            }
        })
        .await;
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        Ok(self.purge_now(limit))
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let removed = self.shard(key).as_mut().and_then(|shard| shard.records.remove(key));
        let was_present = removed.is_some();
        if let Some(entry) = removed {
            self.count_removed(1);
            entry.watchers.into_iter().for_each(|(_, waker)| waker.wake());
        }
        Ok(was_present)
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let now = now();
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let records = shard.as_ref().into_iter().flat_map(|shard| &shard.records);
            let interrupted = records.filter_map(|(key, entry)| {
                let attempt = entry.record.interrupted(now)?;
                Some(Interrupted::new(*key, &*entry.label, attempt))
            });
            found.extend(interrupted.take(limit.saturating_sub(found.len())));
        }
        Ok(found)
    }

    fn caps(&self) -> Capabilities {
        Capabilities::new()
    }

    fn id(&self) -> StoreId {
        *self.id.get_or_init(StoreId::new)
    }
}

impl BlockingStore for MemoryStore {}

impl TestReset for MemoryStore {
    fn fresh(&self) -> Self {
        Self::new().max_records(self.max_records)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("records", &self.len())
            .field("max_records", &self.max_records)
            .finish_non_exhaustive()
    }
}
