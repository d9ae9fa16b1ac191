//! A part of the memory store, under a lock of its own: its records, and when they expire.

use core::hash::{BuildHasherDefault, Hasher};
use core::task::Waker;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use super::key::RecordKey;
use super::record::Record;
use super::store::{Claim, ClaimRequest};
use crate::clock::Moment;

#[derive(Default)]
pub(super) struct Shard {
    pub(super) records: HashMap<RecordKey, Slot, BuildHasherDefault<Prefix>>,
    /// One entry for each record, with a time at which it might have expired, and some of records that are
    /// gone.
    pub(super) ends: BinaryHeap<Reverse<(Moment, RecordKey)>>,
}

pub(super) struct Slot {
    pub(super) record: Record,
    pub(super) label: Arc<str>,
    /// The time of its entry; others of its key are out of date.
    pub(super) listed: Moment,
    /// Who wants to know when it changes.
    pub(super) watchers: Vec<(u64, Waker)>,
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
    /// Adds an entry. Where most are of records that are gone, or out of date, they go first.
    pub(super) fn list(&mut self, end: Moment, key: RecordKey) {
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
        now: Moment,
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

    /// Takes out at most `limit` records that have expired. They are dropped when nothing is locked: others
    /// may wait for them.
    pub(super) fn purge(&mut self, now: Moment, limit: usize) -> Vec<Slot> {
        let mut purged = Vec::new();
        while purged.len() < limit {
            let Some(Reverse((end, key))) = self.ends.peek().copied() else { break };
            if now < end {
                break;
            }
            self.ends.pop();
            match self.records.get_mut(&key).filter(|slot| slot.listed == end) {
                Some(slot) if slot.record.is_expired(now) => {
                    purged.extend(self.records.remove(&key));
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
