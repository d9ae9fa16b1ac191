//! The store in the memory of this process.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::task::{Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::key::RecordKey;
use crate::quota::{Quotas, Room};
use crate::record::Record;
use crate::shard::{Entry, PurgeLimits, Purged, Shard};
use crate::store::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token,
    WriteOutcome,
};
use crate::store_error::StoreResult;
use crate::wait::yield_now;
use resilience_core::__internal::TestReset;
use resilience_core::__internal::{Delay, Timestamp, nanos, now};

/// A store in the memory of this process, with virtual time in tests.
///
/// Use the memory store in a single process whose records may end with the process, in functions
/// that are not async, and in tests.
///
/// # Limits
///
/// The store holds at most `max_records` records, with outcomes of at most `max_bytes` bytes. A
/// record needs about 350 bytes more. No record is evicted before its expiry.
///
/// - A claim beyond `max_records` fails with [`StoreErrorKind::Full`](crate::StoreErrorKind::Full).
/// - An outcome beyond `max_bytes` is recorded without its bytes. The body does not run again, and
///   repeated calls get [`NotStored`](resilience_core::IdempotencyRejection::NotStored).
///
/// One scope cannot fill the store: a scope may use at most four times as many records, and as
/// many bytes, as are free. The first scope can therefore use four fifths of the store, the next
/// scope four fifths of the rest. `max_records_per_scope` adds a fixed limit, against a caller with
/// many scopes. Calls with the global scope are limited by the store alone.
///
/// The constructor is a `const fn`, so a store can be a `static`.
///
/// # Examples
/// ```
/// use resilience::idempotent::MemoryStore;
///
/// static STORE: MemoryStore = MemoryStore::new().max_records(10_000);
/// ```
pub struct MemoryStore {
    shards: [MemoryShard; SHARDS],
    quotas: Quotas,
    /// The fence of the last claim.
    fence: AtomicU64,
    /// The time of the first claim on both clocks: monotonic, and microseconds since 1970.
    begin: OnceLock<(Timestamp, u64)>,
    /// The number of watchers so far.
    watchers: AtomicU64,
    id: OnceLock<StoreId>,
}

type MemoryShard = Mutex<Option<Box<Shard>>>;

/// The number of shards. A shard of a million records grows in a part of a millisecond.
const SHARDS: usize = 256;
const MAX_RECORDS: usize = 100_000;
const MAX_BYTES: usize = 256 * 1024 * 1024;

impl MemoryStore {
    /// Creates an empty store for at most 100 000 records, and 256 MiB of outcomes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            shards: [const { Mutex::new(None) }; SHARDS],
            quotas: Quotas::new(MAX_RECORDS, MAX_BYTES),
            fence: AtomicU64::new(0),
            begin: OnceLock::new(),
            watchers: AtomicU64::new(0),
            id: OnceLock::new(),
        }
    }

    /// Sets the maximum number of records. Default: 100 000.
    #[must_use]
    pub const fn max_records(mut self, records: usize) -> Self {
        self.quotas.set_max_records(records);
        self
    }

    /// Sets the maximum size of all outcomes, in bytes. Default: 256 MiB.
    ///
    /// The first 64 bytes of an outcome do not count.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.quotas.set_max_bytes(bytes);
        self
    }

    /// Sets the maximum number of records of one scope. Default: no limit beyond the share of a
    /// scope.
    ///
    /// The records of the steps of a call count for the scope of the call.
    #[must_use]
    pub const fn max_records_per_scope(mut self, records: usize) -> Self {
        self.quotas.set_max_records_per_scope(records);
        self
    }

    /// Returns the number of records, including expired records that no step has removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.quotas.records()
    }

    /// Returns the size of all outcomes, in bytes, as counted for `max_bytes`.
    #[must_use]
    pub fn outcome_bytes(&self) -> usize {
        self.quotas.bytes()
    }

    /// Returns whether the store has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &RecordKey) -> MutexGuard<'_, Option<Box<Shard>>> {
        // The map uses the first bytes of the key, so the shard uses the last byte.
        let index = usize::from(key.0.last().copied().unwrap_or_default());
        let shard = self.shards.get(index).unwrap_or(&self.shards[0]);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn claim_now(&self, request: &ClaimRequest<'_>) -> StoreResult<Claim> {
        let now = now();
        let mut guard = self.shard(request.key);
        let shard = guard.get_or_insert_default();
        let fence = || self.next_fence(now);
        if let Some(claim) = shard.claim(request, fence, now, &self.quotas) {
            return Ok(claim);
        }
        // Each insertion removes a few expired records, so that no claim waits for many removals.
        let purged = shard.purge(now, PurgeLimits { records: 4, steps: 8 }, &self.quotas);
        let reserved = self.quotas.reserve(request.scope);
        let claimed = reserved.map(|room| self.insert(shard, request, room, now));
        drop(guard);
        purged.wake();
        let Err(full) = claimed else { return claimed };
        // Expired records of other shards may make room.
        if self.make_room(now) == 0 {
            return Err(full);
        }
        let room = self.quotas.reserve(request.scope)?;
        let mut guard = self.shard(request.key);
        let shard = guard.get_or_insert_default();
        // Another call may have inserted the record meanwhile.
        if let Some(claim) = shard.claim(request, fence, now, &self.quotas) {
            self.quotas.release(room);
            return Ok(claim);
        }
        Ok(self.insert(shard, request, room, now))
    }

    /// Inserts a record into its reserved room.
    fn insert(
        &self,
        shard: &mut Shard,
        request: &ClaimRequest<'_>,
        room: Room,
        now: Timestamp,
    ) -> Claim {
        let record = Record::new(request, self.next_fence(now), now);
        let claim = record.acquired();
        shard.insert(*request.key, record, request.label, room);
        claim
    }

    fn write(
        &self,
        key: &RecordKey,
        write: impl FnOnce(&mut Entry, Timestamp) -> StoreResult<WriteOutcome>,
    ) -> StoreResult<WriteOutcome> {
        let now = now();
        let mut guard = self.shard(key);
        let Some(shard) = guard.as_mut() else { return Ok(WriteOutcome::Fenced) };
        let Some(entry) = shard.records.get_mut(key) else { return Ok(WriteOutcome::Fenced) };
        let written = write(entry, now);
        let watchers = shard.take_watchers(key);
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
        let before = guard.as_mut().and_then(|shard| shard.watch(key, watcher, waker));
        drop(guard);
        // Dropped after the lock, because `drop` of a waker is foreign code.
        drop(before);
    }

    /// Removes some expired records of all shards. Returns the number of removed records.
    fn make_room(&self, now: Timestamp) -> usize {
        let mut left = PurgeLimits { records: 64, steps: STEPS };
        let mut removed: usize = 0;
        for shard in &self.shards {
            let purged = self.purge_shard(shard, now, left);
            left.records = left.records.saturating_sub(purged.records);
            left.steps = left.steps.saturating_sub(purged.steps);
            removed = removed.saturating_add(purged.records);
            purged.wake();
        }
        removed
    }

    fn purge_shard(&self, shard: &MemoryShard, now: Timestamp, limits: PurgeLimits) -> Purged {
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.as_mut().map(|shard| shard.purge(now, limits, &self.quotas)).unwrap_or_default()
    }
}

/// The number of records that a purge examines before other tasks run.
const STEPS: usize = 512;

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
        self.write(key, |entry, now| Ok(entry.record.renew(token, lease, now)))
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.write(key, |entry, now| {
            if entry.record.accepts_outcome(token) {
                self.quotas.resize(&mut entry.room, outcome.len())?;
            }
            Ok(entry.record.complete(token, outcome, retention, now))
        })
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.write(key, |entry, _| Ok(entry.record.release(token)))
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.write(key, |entry, now| Ok(entry.record.abandon(token, now)))
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

    /// Removes at most `limit` expired records. Other tasks run after some hundred records.
    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        let now = now();
        let mut removed: usize = 0;
        let mut steps = STEPS;
        for shard in &self.shards {
            loop {
                let records = limit.saturating_sub(removed);
                let purged = self.purge_shard(shard, now, PurgeLimits { records, steps });
                removed = removed.saturating_add(purged.records);
                steps = steps.saturating_sub(purged.steps);
                purged.wake();
                if steps > 0 {
                    break;
                }
                yield_now().await;
                steps = STEPS;
            }
        }
        Ok(removed)
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let mut guard = self.shard(key);
        let Some(shard) = guard.as_mut() else { return Ok(false) };
        let (removed, watchers) = (shard.records.remove(key), shard.take_watchers(key));
        drop(guard);
        for (_, waker) in watchers {
            waker.wake();
        }
        let Some(entry) = removed else { return Ok(false) };
        self.quotas.release(entry.room);
        Ok(true)
    }

    /// Searches all records. Other tasks run after some thousand records.
    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let now = now();
        let mut found = Vec::new();
        let mut steps = STEPS;
        for shard in &self.shards {
            if steps == 0 {
                yield_now().await;
                steps = STEPS;
            }
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(shard) = shard.as_ref() else { continue };
            steps = steps.saturating_sub(shard.records.len());
            let interrupted = shard.records.iter().filter_map(|(key, entry)| {
                let attempt = entry.record.interrupted(now)?;
                Some(Interrupted::new(*key, &**entry.label, attempt))
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
        Self { quotas: self.quotas.fresh(), ..Self::new() }
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
            .field("outcome_bytes", &self.outcome_bytes())
            .field("max_records", &self.quotas.max_records())
            .finish_non_exhaustive()
    }
}
