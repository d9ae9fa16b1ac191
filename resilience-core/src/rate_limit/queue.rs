//! The calls that wait for a turn of a rate limiter, under a lock, and their facts for calls
//! without the lock.

use core::sync::atomic::Ordering;

use super::line::{Line, Wakers};
use super::pace::Pace;
use super::spans::Span;
use crate::sync::{AtomicU64, Mutex, lock};
use crate::waiters::WaiterId;

#[derive(Debug)]
pub(super) struct Queue {
    /// The waiting calls.
    pub(super) line: Mutex<Line>,
    /// Whether the line has free positions. Written under the lock.
    has_holes: AtomicU64,
    /// The time of the last turn that a waiter took late; zero if all turns since are used. Until
    /// then a caller was waiting, so earlier turns are not idle time.
    pub(super) kept_until: AtomicU64,
    /// The latest word that a corrected cost, or a caller with more patience, has produced. Such a
    /// word can be further ahead than any wait.
    pub(super) furthest: AtomicU64,
    /// The number of the time line. The next time line starts when the calls move to other
    /// positions, and positions of an earlier time line are not valid any more. Written under the
    /// lock, after the word: a call that knows a number has positions of that time line or later.
    timeline: AtomicU64,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            line: Mutex::new(Line::new()),
            has_holes: AtomicU64::new(0),
            kept_until: AtomicU64::new(0),
            furthest: AtomicU64::new(0),
            timeline: AtomicU64::new(0),
        }
    }

    /// Publishes whether there are holes, for calls without the lock.
    pub(super) fn publish(&self, line: &Line) {
        self.has_holes.store(u64::from(!line.holes().is_empty()), Ordering::Relaxed);
    }

    pub(super) fn timeline(&self) -> u64 {
        self.timeline.load(Ordering::Acquire)
    }

    pub(super) fn start_timeline(&self) {
        self.timeline.fetch_add(1, Ordering::Release);
    }

    pub(super) fn has_holes(&self) -> bool {
        self.has_holes.load(Ordering::Relaxed) != 0
    }

    pub(super) fn give_turns(
        &self,
        line: &mut Line,
        pace: Pace,
        now: u64,
        polled: Option<WaiterId>,
        wakers: &mut Wakers,
    ) {
        if line.give_turns(pace, now, polled, wakers) {
            self.kept_until.store(now, Ordering::Relaxed);
        }
    }

    /// Returns the start of the next positions at the end of the line.
    pub(super) fn end(&self, pace: Pace, word: u64, now: u64) -> u64 {
        if word >= now {
            return word;
        }
        let kept_until = self.kept_until.load(Ordering::Relaxed);
        if word <= kept_until && now - word <= pace.kept {
            return word;
        }
        if kept_until != 0 {
            self.kept_until.store(0, Ordering::Relaxed);
        }
        now
    }

    #[cold]
    pub(super) fn ready_in_holes(&self, pace: Pace, now: u64) -> u64 {
        let latest = now.saturating_add(pace.tolerance).saturating_add(pace.interval);
        lock(&self.line).holes().iter().fold(0, |sum, Span { start, end }| {
            let missed = now.saturating_sub(start).div_ceil(pace.interval);
            let start = start.saturating_add(missed.saturating_mul(pace.interval));
            // A position counts if its start is at most `tolerance` ahead.
            let ready = end.min(latest).saturating_sub(start);
            sum.saturating_add(ready / pace.interval)
        })
    }
}
