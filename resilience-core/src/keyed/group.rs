//! The policies of a table of keys, as a group: how many keys are in use, and how many are open.

use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::EVENT_INTERVAL;
use crate::clock::Timestamp;
use resilience_rules::circuit_breaker::MAX_OPEN_MIN_KEYS;

/// The length of the periods in which the keys in use are counted.
const PERIOD: Duration = Duration::from_secs(60);

/// The group of a table.
///
/// A key is in use if a call came in the current or the last period. Keys without calls must not
/// count: a table may hold thousands of keys that nobody uses any more. A call compares one number
/// and reads no clock. Failed calls end a period after a minute.
#[derive(Debug, Default)]
pub struct KeyGroup {
    /// The number of the current period. Wraps: a key without a call for 65 536 periods may count
    /// as in use once.
    period: AtomicU16,
    /// The number of keys with a call in the current period.
    keys: AtomicU32,
    /// How often a member had to stay closed.
    held: AtomicU64,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// The number of the last member.
    last: u64,
    /// The open members, by the time from which the state says nothing about the present. From then
    /// on the member may be evicted, too.
    open: BTreeSet<(Timestamp, u64)>,
    /// The start of the current period.
    began: Option<Timestamp>,
    /// The number of keys with a call in the last period.
    keys_before: u32,
    /// The time of the last report.
    reported: Option<Timestamp>,
}

/// The number of open keys and of keys in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenShare {
    pub(crate) open: u32,
    pub(crate) keys: u32,
}

/// The reply that a breaker has to stay closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The share, if a report is due: once per table and minute.
    pub(crate) to_report: Option<OpenShare>,
}

impl KeyGroup {
    /// Counts a use of a known key. `period` is the period of the last use.
    #[inline]
    pub(super) fn note_use(&self, period: &mut u16) {
        let current = self.period.load(Relaxed);
        if *period != current {
            *period = current;
            self.keys.fetch_add(1, Relaxed);
        }
    }

    /// Counts the first use of a key. Returns the period.
    pub(super) fn first_use(&self) -> u16 {
        self.keys.fetch_add(1, Relaxed);
        self.period.load(Relaxed)
    }

    /// Returns how often a member had to stay closed.
    pub(super) fn held_openings(&self) -> u64 {
        self.held.load(Relaxed)
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the period if it is over. Returns the number of keys in use.
    fn keys_in_use(&self, members: &mut Members, now: Timestamp) -> u32 {
        let age = members.began.map_or(Duration::MAX, |began| now.since(began));
        if age >= PERIOD {
            let keys = self.keys.swap(0, Relaxed);
            // A long period says nothing about the last minute.
            members.keys_before = if age < 2 * PERIOD { keys } else { 0 };
            members.began = Some(now);
            self.period.fetch_add(1, Relaxed);
        }
        self.keys.load(Relaxed).max(members.keys_before)
    }
}

/// A policy in the group of its table.
#[derive(Debug)]
pub(crate) struct Membership {
    group: Arc<KeyGroup>,
    number: u64,
    open_until: Option<Timestamp>,
}

impl Membership {
    pub(crate) fn new(group: &Arc<KeyGroup>) -> Self {
        let mut members = group.members();
        members.last = members.last.saturating_add(1);
        Self { group: Arc::clone(group), number: members.last, open_until: None }
    }

    /// Counts the member as open until a time, or as closed.
    pub(crate) fn set_open_until(&mut self, until: Option<Timestamp>) {
        if self.open_until == until {
            return;
        }
        let mut members = self.group.members();
        if let Some(before) = self.open_until {
            members.open.remove(&(before, self.number));
        }
        if let Some(until) = until {
            members.open.insert((until, self.number));
        }
        self.open_until = until;
    }

    /// Records that a call of the member failed, so that the keys in use are counted from then on.
    pub(crate) fn note_failure(&self, now: Timestamp) {
        self.group.keys_in_use(&mut self.group.members(), now);
    }

    /// Returns whether one more member may open.
    pub(crate) fn may_open(&self, max_share: f64, now: Timestamp) -> Result<(), Held> {
        let mut members = self.group.members();
        while members.open.first().is_some_and(|(until, _)| *until <= now) {
            members.open.pop_first();
        }
        let open = u32::try_from(members.open.len()).unwrap_or(u32::MAX);
        // An open key is in use, also without a call in the last minute.
        let keys = self.group.keys_in_use(&mut members, now).max(open);
        let share = f64::from(open.saturating_add(1)) / f64::from(keys.max(1));
        if open == 0 || keys < MAX_OPEN_MIN_KEYS || share <= max_share {
            return Ok(());
        }
        self.group.held.fetch_add(1, Relaxed);
        let is_due = members.reported.is_none_or(|last| now.since(last) >= EVENT_INTERVAL);
        if is_due {
            members.reported = Some(now);
        }
        Err(Held { to_report: is_due.then_some(OpenShare { open, keys }) })
    }
}
