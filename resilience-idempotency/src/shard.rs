//! A shard of the memory store: records, and their expiry times, under one lock.

use core::hash::{BuildHasherDefault, Hasher};
use core::task::Waker;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::key::RecordKey;
use crate::quota::{Quotas, Room};
use crate::record::Record;
use crate::store::{Claim, ClaimRequest};
use resilience_core::__internal::Timestamp;

#[derive(Default)]
pub(super) struct Shard {
    /// Boxed, so that a growing map moves pointers and not records.
    pub(super) records: HashMap<RecordKey, Box<Entry>, BuildHasherDefault<KeyHasher>>,
    /// The earliest possible expiry of each record. Entries of removed or changed records are
    /// skipped.
    expirations: BinaryHeap<Reverse<(Timestamp, RecordKey)>>,
    /// The label of the last insertion. Consecutive records mostly share a label.
    label: Option<Label>,
    /// The wakers of the calls that watch a record.
    watchers: HashMap<RecordKey, Vec<(u64, Waker)>, BuildHasherDefault<KeyHasher>>,
}

/// The name of a function, in a pointer of a single word.
pub(super) type Label = Arc<Box<str>>;

pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) label: Label,
    pub(super) room: Room,
    /// The expiry time in the heap that belongs to this record. Other heap entries of the key are
    /// outdated.
    scheduled: Timestamp,
}

/// The limits of one purge.
#[derive(Clone, Copy)]
pub(super) struct PurgeLimits {
    /// The number of removed records.
    pub(super) records: usize,
    /// The number of examined expiry times, which bounds the time under the lock.
    pub(super) steps: usize,
}

/// The result of one purge.
#[derive(Default)]
#[must_use]
pub(super) struct Purged {
    /// The number of removed records.
    pub(super) records: usize,
    /// The number of examined expiry times.
    pub(super) steps: usize,
    watchers: Vec<Waker>,
}

impl Purged {
    /// Wakes the watchers. Call this without a lock, because a waker is foreign code.
    pub(super) fn wake(self) {
        self.watchers.into_iter().for_each(Waker::wake);
    }
}

/// A hasher that uses the first bytes of a key, because the keys are hashes already.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_ne_bytes(*first);
        }
    }

    // Ignores the length of the array, which is constant.
    fn write_usize(&mut self, _: usize) {}
}

impl Shard {
    /// Inserts the record of an unknown key.
    pub(super) fn insert(&mut self, key: RecordKey, record: Record, label: &str, room: Room) {
        let last = self.label.take().filter(|last| ***last == *label);
        let label = last.unwrap_or_else(|| Arc::new(label.into()));
        self.label = Some(Arc::clone(&label));
        let scheduled = record.expires_at;
        self.records.insert(key, Box::new(Entry { record, label, room, scheduled }));
        self.schedule(scheduled, key);
    }

    /// Adds an expiry time. If outdated entries are the majority, the heap is rebuilt first.
    fn schedule(&mut self, end: Timestamp, key: RecordKey) {
        if self.expirations.len() > self.records.len().saturating_mul(2).saturating_add(64) {
            let expirations =
                self.records.iter().map(|(key, entry)| Reverse((entry.scheduled, *key)));
            self.expirations = expirations.collect();
            return;
        }
        self.expirations.push(Reverse((end, key)));
    }

    /// Claims a known key. Returns `None` for an unknown key.
    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest<'_>,
        fence: impl FnOnce() -> u64,
        now: Timestamp,
        quotas: &Quotas,
    ) -> Option<Claim> {
        let entry = self.records.get_mut(request.key)?;
        let claim = entry.record.claim(request, fence, now);
        // A claim of an expired record removes its outcome, and a smaller room always fits.
        let _ = quotas.resize(&mut entry.room, entry.record.outcome_len());
        self.reschedule(request.key);
        Some(claim)
    }

    /// Adds an expiry time if the record now expires earlier.
    pub(super) fn reschedule(&mut self, key: &RecordKey) {
        let Some(entry) = self.records.get_mut(key) else { return };
        let end = entry.record.expires_at;
        if end < entry.scheduled {
            entry.scheduled = end;
            self.schedule(end, *key);
        }
    }

    /// Removes the wakers of the calls that watch a record.
    pub(super) fn take_watchers(&mut self, key: &RecordKey) -> Vec<(u64, Waker)> {
        self.watchers.remove(key).unwrap_or_default()
    }

    /// Replaces the waker of a watcher. `None` removes the watcher. Returns the previous waker.
    pub(super) fn watch(
        &mut self,
        key: &RecordKey,
        watcher: u64,
        waker: Option<Waker>,
    ) -> Option<(u64, Waker)> {
        let watchers = self.watchers.entry(*key).or_default();
        let place = watchers.iter().position(|(other, _)| *other == watcher);
        let before = place.map(|place| watchers.swap_remove(place));
        watchers.extend(waker.map(|waker| (watcher, waker)));
        if watchers.is_empty() {
            self.watchers.remove(key);
        }
        before
    }

    /// Removes expired records within the limits.
    pub(super) fn purge(&mut self, now: Timestamp, limits: PurgeLimits, quotas: &Quotas) -> Purged {
        let mut purged = Purged::default();
        while purged.records < limits.records && purged.steps < limits.steps {
            let Some(Reverse((end, key))) = self.expirations.peek().copied() else { break };
            if now < end {
                break;
            }
            purged.steps = purged.steps.saturating_add(1);
            self.expirations.pop();
            match self.records.get_mut(&key).filter(|entry| entry.scheduled == end) {
                Some(entry) if entry.record.is_expired(now) => {
                    purged.records = purged.records.saturating_add(1);
                    if let Some(removed) = self.records.remove(&key) {
                        quotas.release(removed.room);
                    }
                    let watchers = self.take_watchers(&key);
                    purged.watchers.extend(watchers.into_iter().map(|(_, waker)| waker));
                }
                // The record was renewed, completed or claimed since.
                Some(entry) => {
                    entry.scheduled = entry.record.expires_at;
                    self.expirations.push(Reverse((entry.scheduled, key)));
                }
                None => {}
            }
        }
        purged
    }
}
