//! The state and the clock for the decisions of a limiter.

use core::time::Duration;

use super::gcra::Gcra;
use super::pace::{Pace, Request};
use super::share::RateShare;
use crate::clock::now;

/// The state for a decision: the limiter's own, or that of its share.
#[derive(Clone, Copy)]
pub(super) struct View<'l> {
    pub(super) gcra: &'l Gcra,
    pub(super) pace: Pace,
    pub(super) share: Option<&'l RateShare>,
}

impl View<'_> {
    /// Returns the time of the clock of the limiter.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        let now = now().word();
        match self.share {
            None => now,
            Some(share) => share.terms().at(now),
        }
    }

    #[inline]
    pub(super) fn request(&self, cost: u32, wait: u64) -> Request {
        Request { pace: self.pace, width: self.pace.width(cost), wait }
    }

    #[inline]
    pub(super) fn count(&self, cost: u32) {
        if let Some(share) = self.share {
            share.count(cost);
        }
    }

    /// Returns a wait by the clock of the limiter.
    pub(super) fn within(&self, wait: u64) -> u64 {
        let Some(share) = self.share else { return wait };
        let (terms, now) = (share.terms(), now().word());
        terms.at(now.saturating_add(wait)).saturating_sub(terms.at(now))
    }

    /// Returns the real time at which the clock of the limiter shows a time.
    pub(super) fn time_of(&self, turn: u64) -> u64 {
        self.share.map_or(turn, |share| share.terms().time_of(turn))
    }

    /// Returns the real length of a wait from now on; `None` for a wait without an end.
    pub(super) fn real_time(&self, left: u64) -> Option<Duration> {
        let Some(share) = self.share else { return Some(Duration::from_nanos(left)) };
        let (terms, now) = (share.terms(), now().word());
        match terms.time_of(terms.at(now).saturating_add(left)) {
            u64::MAX => None,
            time => Some(Duration::from_nanos(time.saturating_sub(now))),
        }
    }
}
