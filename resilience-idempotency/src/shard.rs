//! A part of the memory store, under a lock of its own: its records, and when they expire.

use core::hash::{BuildHasherDefault, Hasher};
use core::task::Waker;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::key::RecordKey;
use crate::record::Record;
use crate::store::{Claim, ClaimRequest};
use resilience_core::__internal::Timestamp;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) records: HashMap<RecordKey, Entry, BuildHasherDefault<KeyHasher>>,
    /// One entry for each record, with a time at which it might have expired, and some of records that are
    /// gone.
    expirations: BinaryHeap<Reverse<(Timestamp, RecordKey)>>,
    /// The label of the last record, which mostly is that of the next one.
    label: Option<Arc<str>>,
}

pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) label: Arc<str>,
    /// The time of its entry; others of its key are out of date.
    scheduled: Timestamp,
    /// Who wants to know when it changes.
    pub(super) watchers: Vec<(u64, Waker)>,
}

/// Records that were taken out, and who wanted to know of them.
#[derive(Default)]
#[must_use]
pub(super) struct Purged {
    pub(super) records: usize,
    watchers: Vec<Waker>,
}

impl Purged {
    /// To be called when nothing is locked: what a waker does is not ours.
    pub(super) fn wake(self) {
        self.watchers.into_iter().for_each(Waker::wake);
    }
}

/// A record key is a hash already.
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

    // The length of the array, which is always the same.
    fn write_usize(&mut self, _: usize) {}
}

impl Shard {
    /// Puts in the record of a key that is not known.
    pub(super) fn insert(&mut self, key: RecordKey, record: Record, label: &str) {
        let last = self.label.take().filter(|last| **last == *label);
        let label = last.unwrap_or_else(|| label.into());
        self.label = Some(Arc::clone(&label));
        let scheduled = record.expires_at;
        self.records.insert(key, Entry { record, label, scheduled, watchers: Vec::new() });
        self.schedule(scheduled, key);
    }

    /// Adds an entry. Where most are of records that are gone, or out of date, they go first.
    fn schedule(&mut self, end: Timestamp, key: RecordKey) {
        if self.expirations.len() > self.records.len().saturating_mul(2).saturating_add(64) {
            let expirations = self.records.iter().map(|(key, entry)| Reverse((entry.scheduled, *key)));
            self.expirations = expirations.collect();
            return;
        }
        self.expirations.push(Reverse((end, key)));
    }

    /// A claim of a key that is known.
    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest<'_>,
        fence: impl FnOnce() -> u64,
        now: Timestamp,
    ) -> Option<Claim> {
        let claim = self.records.get_mut(request.key)?.record.claim(request, fence, now);
        self.reschedule(request.key);
        Some(claim)
    }

    /// Adds an entry for a record that expires earlier than the one it has says.
    pub(super) fn reschedule(&mut self, key: &RecordKey) {
        let Some(entry) = self.records.get_mut(key) else { return };
        let end = entry.record.expires_at;
        if end < entry.scheduled {
            entry.scheduled = end;
            self.schedule(end, *key);
        }
    }

    /// Takes out at most `limit` records that have expired.
    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> Purged {
        let mut purged = Purged::default();
        while purged.records < limit {
            let Some(Reverse((end, key))) = self.expirations.peek().copied() else { break };
            if now < end {
                break;
            }
            self.expirations.pop();
            match self.records.get_mut(&key).filter(|entry| entry.scheduled == end) {
                Some(entry) if entry.record.is_expired(now) => {
                    let watchers = core::mem::take(&mut entry.watchers);
                    purged.watchers.extend(watchers.into_iter().map(|(_, waker)| waker));
                    purged.records = purged.records.saturating_add(1);
                    self.records.remove(&key);
                }
                // It was renewed, completed or claimed again since.
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
