//! The running calls of a breaker that counts slow calls: a call counts as slow once it exceeds the
//! limit, before it ends.

use core::time::Duration;
use std::collections::BTreeMap;

use super::window::Counts;
use crate::clock::Timestamp;

#[derive(Debug)]
pub(super) struct RunningCalls {
    /// The number of calls within the limit, by their start.
    in_time: BTreeMap<Timestamp, u32>,
    /// The number of calls beyond the limit.
    overdue: u32,
}

impl RunningCalls {
    pub(super) const fn new() -> Self {
        Self { in_time: BTreeMap::new(), overdue: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.in_time.clear();
        self.overdue = 0;
    }

    pub(super) fn start(&mut self, now: Timestamp) {
        let calls = self.in_time.entry(now).or_default();
        *calls = calls.saturating_add(1);
    }

    /// Removes the call with this start.
    pub(super) fn end(&mut self, started: Timestamp) {
        match self.in_time.get_mut(&started) {
            Some(calls) if *calls > 1 => *calls -= 1,
            Some(_) => _ = self.in_time.remove(&started),
            None => self.overdue = self.overdue.saturating_sub(1),
        }
    }

    /// Returns the number of calls that have been running for longer than `limit`.
    pub(super) fn overdue(&mut self, now: Timestamp, limit: Duration) -> u32 {
        while let Some(oldest) = self.in_time.first_entry() {
            if now.since(*oldest.key()) <= limit {
                break;
            }
            self.overdue = self.overdue.saturating_add(oldest.remove());
        }
        self.overdue
    }

    /// Adds the overdue calls to the counts of a window, as slow calls.
    pub(super) fn add_to(&self, Counts { calls, failures, slow }: Counts) -> Counts {
        let calls = calls.saturating_add(self.overdue);
        Counts { calls, failures, slow: slow.saturating_add(self.overdue) }
    }
}
