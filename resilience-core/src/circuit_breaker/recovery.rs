//! The time after closing in which the share of admitted calls grows.

use core::time::Duration;

use crate::clock::Timestamp;

/// The share grows linearly from 0 to 1. Calls are admitted by error diffusion: each call adds the
/// current share to a credit, and an admitted call takes 1. So the share is exact without a random
/// draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recovery {
    until: Timestamp,
    length: Duration,
    credit: f64,
}

impl Recovery {
    pub(super) fn new(now: Timestamp, length: Duration) -> Self {
        Self::resume(now, length, length, 0.0)
    }

    /// Resumes a recovery of `length` with this remaining time and this credit.
    pub(super) fn resume(now: Timestamp, length: Duration, rest: Duration, credit: f64) -> Self {
        // A snapshot from elsewhere may hold any number, also none.
        let credit = if credit > 0.0 { credit.min(1.0) } else { 0.0 };
        Self { until: now.plus(rest), length, credit }
    }

    /// Returns the part of a call that the share has saved up.
    pub(super) const fn credit(&self) -> f64 {
        self.credit
    }

    /// Returns the remaining time; `None` once all calls are admitted again.
    pub(super) fn remaining(&self, now: Timestamp) -> Option<Duration> {
        Some(self.until.since(now)).filter(|rest| !rest.is_zero())
    }

    /// Returns whether a call at `now` is within the share.
    pub(super) fn admits(&mut self, now: Timestamp) -> bool {
        let rest = self.until.since(now).as_secs_f64() / self.length.as_secs_f64();
        self.credit += (1.0 - rest).clamp(0.0, 1.0);
        let admitted = self.credit >= 1.0;
        if admitted {
            self.credit -= 1.0;
        }
        admitted
    }
}
