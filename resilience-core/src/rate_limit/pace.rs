//! A rate in nanoseconds, and the positions of calls on the time line.

use core::time::Duration;

use super::spans::Span;
use crate::waiters::WaiterId;

/// 146 years in nanoseconds: the limit of bursts and waits, so that additions do not overflow.
pub(super) const MAX_NANOS: u64 = 1 << 62;

/// The age of the oldest unused turn that a late waiter keeps, in nanoseconds. Timers are late:
/// tokio rounds up to milliseconds. Without the kept turns a single caller would get a turn per
/// wake-up instead of the rate.
pub(super) const KEPT_NANOS: u64 = 10_000_000;

/// A rate in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// The time from call to call. Rounded up, so that the rate is never exceeded in the long run.
    pub(super) interval: u64,
    /// How early a call of a burst may come.
    pub(super) tolerance: u64,
    /// No call waits longer.
    pub(super) longest_wait: u64,
    /// No call produces a word further ahead, except by a corrected cost.
    furthest: u64,
    /// The age of the oldest unused turn that a late waiter keeps.
    pub(super) kept: u64,
}

/// A permit for a fixed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The time from which the call may start.
    pub(super) turn: u64,
    pub(super) must_wait: bool,
    /// The positions of the call.
    pub(super) span: Span,
    /// The time line of the positions.
    pub(super) timeline: u64,
}

/// A request for a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) pace: Pace,
    /// The width of the positions: the cost in intervals.
    pub(super) width: u64,
    /// The longest wait of this call.
    pub(super) wait: u64,
}

/// A call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) id: WaiterId,
    /// The time of the turn, if no call in front leaves.
    pub(super) turn: u64,
}

impl Pace {
    /// Creates a pace; zero counts as 1.
    pub(super) const fn new(rate: u32, per: Duration, burst: u32, wait: Duration) -> Self {
        let rate = if rate == 0 { 1 } else { rate as u128 };
        let interval = saturated(per.as_nanos().div_ceil(rate), u64::MAX);
        let interval = if interval == 0 { 1 } else { interval };
        let early = burst.saturating_sub(1) as u128 * interval as u128;
        let tolerance = saturated(early, MAX_NANOS);
        // `Duration::MAX` is a wait without a limit.
        let is_unlimited = wait.as_nanos() == Duration::MAX.as_nanos();
        let most = if is_unlimited { u64::MAX } else { MAX_NANOS };
        let longest_wait = saturated(wait.as_nanos(), most);
        let furthest = tolerance.saturating_add(interval).saturating_add(longest_wait);
        Self { interval, tolerance, longest_wait, furthest, kept: KEPT_NANOS }
    }

    /// Returns the pace of a process that holds a share of the burst, given as a function of
    /// widths.
    pub(super) fn with_share(self, share_of: impl Fn(u64) -> u64) -> Self {
        let tolerance = share_of(self.burst()).saturating_sub(self.interval);
        Self { tolerance, kept: share_of(self.kept), ..self }
    }

    /// Returns the width of a burst.
    #[inline]
    pub(super) const fn burst(&self) -> u64 {
        self.tolerance.saturating_add(self.interval)
    }

    /// Returns the width of the positions of a call.
    #[inline]
    pub(super) const fn width(&self, cost: u32) -> u64 {
        self.interval.saturating_mul(cost as u64)
    }

    /// Returns the turn of a call whose last position ends at `end`.
    pub(super) const fn turn(self, end: u64) -> u64 {
        end.saturating_sub(self.interval).saturating_sub(self.tolerance)
    }

    /// Returns the turn of a call with positions from `base` on. Exact also at the end of the
    /// clock.
    pub(super) const fn turn_from(&self, base: u64, width: u64) -> u64 {
        let last = base.saturating_add(width.saturating_sub(self.interval));
        last.saturating_sub(self.tolerance)
    }

    /// Returns the turn of a call at `now` with positions from `base` on, and the positions.
    /// Otherwise returns the time until such a turn is within `wait`.
    #[inline]
    pub(super) fn place(
        &self,
        base: u64,
        now: u64,
        width: u64,
        wait: u64,
    ) -> Result<(u64, Span), u64> {
        let end = base.saturating_add(width);
        let turn = self.turn_from(base, width).max(now);
        let left = turn - now;
        // At the end of the clock no further call fits.
        if left > wait || end == base {
            return Err(left);
        }
        Ok((turn, Span { start: base, end }))
    }

    /// Returns the corrected word after the clock went back, where no call at `now` could have
    /// produced `word`: the word of a used-up burst.
    #[inline]
    pub(super) fn corrected(&self, word: u64, now: u64) -> Option<u64> {
        let is_possible = word <= now.saturating_add(self.furthest);
        let used_up = || now.saturating_add(self.burst());
        (!is_possible).then(used_up)
    }
}

pub(super) const fn saturated(nanos: u128, most: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "compared above")]
    if nanos > most as u128 { most } else { nanos as u64 }
}
