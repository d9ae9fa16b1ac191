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
    pub(super) records: HashMap<RecordKey, Slot, BuildHasherDefault<Prefix>>,
    /// One entry for each record, with a time at which it might have expired, and some of records that are
    /// gone.
    ends: BinaryHeap<Reverse<(Timestamp, RecordKey)>>,
    /// The label of the last record, which mostly is that of the next one.
    label: Option<Arc<str>>,
}

pub(super) struct Slot {
    pub(super) record: Record,
    pub(super) label: Arc<str>,
    /// The time of its entry; others of its key are out of date.
    listed: Timestamp,
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
pub(super) struct Prefix(u64);

impl Hasher for Prefix {
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
        let listed = record.expires_at;
        self.records.insert(key, Slot { record, label, listed, watchers: Vec::new() });
        self.list(listed, key);
    }

    /// Adds an entry. Where most are of records that are gone, or out of date, they go first.
    fn list(&mut self, end: Timestamp, key: RecordKey) {
        if self.ends.len() > self.records.len().saturating_mul(2).saturating_add(64) {
            let ends = self.records.iter().map(|(key, slot)| Reverse((slot.listed, *key)));
            self.ends = ends.collect();
            return;
        }
        self.ends.push(Reverse((end, key)));
    }

    /// A claim of a key that is known.
    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest<'_>,
        fence: impl FnOnce() -> u64,
        now: Timestamp,
    ) -> Option<Claim> {
        let claim = self.records.get_mut(request.key)?.record.claim(request, fence, now);
        self.list_again(request.key);
        Some(claim)
    }

    /// Adds an entry for a record that expires earlier than the one it has says.
    pub(super) fn list_again(&mut self, key: &RecordKey) {
        let Some(slot) = self.records.get_mut(key) else { return };
        let end = slot.record.expires_at;
        if end < slot.listed {
            slot.listed = end;
            self.list(end, *key);
        }
    }

    /// Takes out at most `limit` records that have expired.
    pub(super) fn purge(&mut self, now: Timestamp, limit: usize) -> Purged {
        let mut purged = Purged::default();
        while purged.records < limit {
            let Some(Reverse((end, key))) = self.ends.peek().copied() else { break };
            if now < end {
                break;
            }
            self.ends.pop();
            match self.records.get_mut(&key).filter(|slot| slot.listed == end) {
                Some(slot) if slot.record.is_expired(now) => {
                    let watchers = core::mem::take(&mut slot.watchers);
                    purged.watchers.extend(watchers.into_iter().map(|(_, waker)| waker));
                    purged.records = purged.records.saturating_add(1);
                    self.records.remove(&key);
                }
                // It was renewed, completed or claimed again since.
                Some(slot) => {
                    slot.listed = slot.record.expires_at;
                    self.ends.push(Reverse((slot.listed, key)));
                }
                None => {}
            }
        }
        purged
    }
}
