//! The trial calls of a half-open breaker.

use core::time::Duration;

use super::window::Counts;
use crate::clock::Timestamp;

/// The largest number of a trial call; a guard has 23 bits for the number.
pub(super) const MOST: u32 = (1 << 23) - 1;

/// The trial calls of a half-open state: those in progress, and the outcomes of the others.
#[derive(Debug)]
pub(super) struct TrialCalls {
    in_progress: Vec<Lease>,
    /// The number of the last trial call. Goes on in the next half-open state.
    last: u32,
    /// The outcomes of the finished trial calls.
    pub(super) finished: Counts,
}

/// A trial call in progress.
#[derive(Clone, Copy, Debug)]
struct Lease {
    number: u32,
    /// From then on another trial call may start.
    expires: Timestamp,
}

impl TrialCalls {
    pub(super) const fn new() -> Self {
        Self {
            in_progress: Vec::new(),
            last: 0,
            finished: Counts { calls: 0, failures: 0, slow: 0 },
        }
    }

    /// Returns the number of trial calls that have finished or hold a lease.
    pub(super) fn admitted(&self) -> u32 {
        let leased = u32::try_from(self.in_progress.len()).unwrap_or(u32::MAX);
        leased.saturating_add(self.finished.calls)
    }

    /// Returns the time until the next lease expires, if there is a lease.
    pub(super) fn next_expiry(&self, now: Timestamp) -> Option<Duration> {
        let expires = self.in_progress.iter().map(|lease| lease.expires).min();
        expires.map(|expires| expires.since(now))
    }

    /// Removes the leases that have expired.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.in_progress.retain(|lease| now < lease.expires);
    }

    /// Starts a trial call, and returns its number, which is above zero.
    pub(super) fn start(&mut self, expires: Timestamp) -> u32 {
        let number = ((self.last + 1) & MOST).max(1);
        self.last = number;
        self.in_progress.push(Lease { number, expires });
        number
    }

    /// Ends a trial call without an outcome.
    pub(super) fn end(&mut self, number: u32) {
        self.in_progress.retain(|lease| lease.number != number);
    }

    /// Forgets the trial calls in progress.
    pub(super) fn forget_leases(&mut self) {
        self.in_progress.clear();
    }
}
