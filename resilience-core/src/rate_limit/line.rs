//! The calls that wait for a turn, and the positions on the time line that the calls hold.
//!
//! A position is a theoretical arrival time. A call of cost `n` takes `n` positions, one interval
//! apart, and may start once the last position is at most a burst ahead. Waiting calls hold
//! positions together: the first call has the earliest positions. A call that leaves gives up the
//! last positions, so all later calls move up, at the cost of one change.

use core::mem;
use core::task::Waker;
use std::collections::BTreeMap;

use super::pace::Pace;
use super::spans::{Span, Spans};
use crate::waiters::{WaiterId, Waiters};

#[derive(Debug)]
pub(super) struct Line {
    waiters: Waiters<Waiter>,
    /// Calls with a turn that have not noticed the turn yet, with their positions, which need not
    /// be neighbors.
    turns: BTreeMap<WaiterId, Vec<Span>>,
    /// The positions of the waiting calls.
    owned: Spans,
    /// Free positions between used positions, from dropped reservations. All holes are later than
    /// the positions of waiting calls.
    holes: Spans,
    /// Changes if all turns come earlier, so that timers set before are too late.
    timers: u64,
}

#[derive(Debug)]
struct Waiter {
    /// The width of the positions that the call needs.
    width: u64,
    /// The time of the timer of the call.
    alarm: u64,
    /// The value of [`Line::timers`] when the timer was set.
    timers: u64,
    waker: Waker,
}

/// Wakers to use, and wakers to drop, after the lock is released: both run code of the executor.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    woken: Vec<Waker>,
    dropped: Vec<Waker>,
}

impl Wakers {
    pub(super) fn wake(self) {
        self.woken.into_iter().for_each(Waker::wake);
    }
}

/// Where a new call of some width may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The width that the holes do not cover.
    pub(super) missing: u64,
    /// The end of the last position.
    pub(super) end: u64,
    pub(super) turn: u64,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self {
            waiters: Waiters::new(),
            turns: BTreeMap::new(),
            owned: Spans::new(),
            holes: Spans::new(),
            timers: 0,
        }
    }

    pub(super) fn holes(&self) -> &Spans {
        &self.holes
    }

    pub(super) fn queued(&self) -> usize {
        self.waiters.len()
    }

    pub(super) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Gives the turn to all waiting calls whose time has come. Wakes the first call with a later
    /// turn if the timer of the call is too late. Returns whether a turn was given late.
    ///
    /// `polled` is the call that runs this code, and needs no wake-up.
    pub(super) fn give_turns(
        &mut self,
        pace: Pace,
        now: u64,
        polled: Option<WaiterId>,
        wakers: &mut Wakers,
    ) -> bool {
        let mut late = false;
        while let Some((id, waiter)) = self.waiters.first_mut() {
            let width = waiter.width;
            let Ok(end) = self.owned.end_of(width) else { break };
            let turn = pace.turn(end);
            if turn > now {
                let is_late = turn < waiter.alarm || waiter.timers != self.timers;
                if is_late && polled != Some(id) {
                    waiter.alarm = turn;
                    waiter.timers = self.timers;
                    wakers.woken.push(mem::replace(&mut waiter.waker, Waker::noop().clone()));
                }
                break;
            }
            late |= turn < now;
            let mut positions = Vec::new();
            self.owned.take_first(width, |span| positions.push(span));
            self.turns.insert(id, positions);
            if let Some(Waiter { waker, .. }) = self.waiters.remove(id) {
                let list = if polled == Some(id) { &mut wakers.dropped } else { &mut wakers.woken };
                list.push(waker);
            }
        }
        late
    }

    /// Plans a new call: the earliest holes first, then the end of the line from `tail` on.
    pub(super) fn plan(&mut self, pace: Pace, width: u64, tail: u64, now: u64) -> Plan {
        self.holes.expire(now, pace.interval);
        match self.holes.end_of(width) {
            Ok(end) => Plan { missing: 0, end, turn: pace.turn(end) },
            Err(missing) => Plan {
                missing,
                end: tail.saturating_add(missing),
                turn: pace.turn_from(tail, missing),
            },
        }
    }

    /// Removes the free positions before a position.
    pub(super) fn expire_holes(&mut self, pace: Pace, before: u64) {
        self.holes.expire(before, pace.interval);
    }

    /// Takes the positions of a plan for a new call that may start at once. No call waits.
    pub(super) fn start_now(&mut self, width: u64, plan: Plan) {
        self.holes.take_first(width.saturating_sub(plan.missing), |_| ());
    }

    /// Takes the positions of a plan for a new call that waits until `turn`.
    pub(super) fn join(&mut self, width: u64, plan: Plan, turn: u64, waker: Waker) -> WaiterId {
        let Self { waiters, owned, holes, timers, .. } = self;
        holes.take_first(width.saturating_sub(plan.missing), |span| owned.insert(span));
        owned.insert(Span { start: plan.end.saturating_sub(plan.missing), end: plan.end });
        waiters.join(Waiter { width, alarm: turn, timers: *timers, waker })
    }

    /// Returns whether the call has its turn. The turn is used then.
    pub(super) fn take_turn(&mut self, id: WaiterId) -> bool {
        self.turns.remove(&id).is_some()
    }

    /// Stores the waker of a waiting call, and returns the time for the timer of the call. The
    /// first call waits for its turn. Any other call waits for the turn at its arrival, in case no
    /// executor polls the calls in front.
    pub(super) fn rearm(
        &mut self,
        pace: Pace,
        id: WaiterId,
        waker: Waker,
        now: u64,
        wakers: &mut Wakers,
    ) -> Option<u64> {
        let first = self.waiters.first_mut().map(|(first, _)| first);
        let last = self.owned.last().map_or(now, |last| last.end);
        let waiter = self.waiters.get_mut(id)?;
        wakers.dropped.push(mem::replace(&mut waiter.waker, waker));
        if first == Some(id) {
            let end = self.owned.end_of(waiter.width).unwrap_or(last);
            waiter.alarm = pace.turn(end);
        } else if waiter.alarm <= now || waiter.timers != self.timers {
            // A correction of a cost, or a new share of the rate, has moved the turns.
            waiter.alarm = pace.turn(last);
        }
        waiter.timers = self.timers;
        Some(waiter.alarm)
    }

    /// Returns the width of the positions of the waiting calls.
    pub(super) fn waiting_width(&self) -> u64 {
        self.owned.width()
    }

    /// Makes all timers invalid, and wakes the first call. Each further call is woken once the call
    /// is the first.
    pub(super) fn restart_timers(&mut self, wakers: &mut Wakers) {
        self.timers = self.timers.wrapping_add(1);
        if let Some((_, first)) = self.waiters.first_mut() {
            wakers.woken.push(mem::replace(&mut first.waker, Waker::noop().clone()));
        }
    }

    /// Starts a waiting call before its turn, and uses up the first positions.
    pub(super) fn start_early(&mut self, id: WaiterId, wakers: &mut Wakers) {
        if let Some(Waiter { width, waker, .. }) = self.waiters.remove(id) {
            self.owned.take_first(width, |_| ());
            wakers.dropped.push(waker);
        }
        self.turns.remove(&id);
    }

    /// Removes a call that does not start, and frees the positions.
    pub(super) fn leave(&mut self, id: WaiterId, wakers: &mut Wakers) {
        if let Some(positions) = self.turns.remove(&id) {
            for span in positions {
                self.free(span);
            }
        } else if let Some(Waiter { width, waker, .. }) = self.waiters.remove(id) {
            let Self { owned, holes, .. } = self;
            owned.take_last(width, |span| holes.insert(span));
            wakers.dropped.push(waker);
        }
    }

    /// Frees positions. The waiting calls move up, so that the holes are the latest positions.
    pub(super) fn free(&mut self, span: Span) {
        let Self { owned, holes, .. } = self;
        holes.insert(span);
        while let (Some(hole), Some(last)) = (holes.first(), owned.last()) {
            if hole.start > last.start {
                break;
            }
            let width = hole.width().min(last.width());
            owned.take_last(width, |span| holes.insert(span));
            let earlier = Span { end: hole.start.saturating_add(width), ..hole };
            holes.take(earlier);
            owned.insert(earlier);
        }
    }

    /// Frees the positions directly in front of the waiting calls. Returns `false` if no call
    /// waits.
    pub(super) fn move_up(&mut self, width: u64) -> bool {
        let Some(first) = self.owned.first() else { return false };
        self.free(Span { start: first.start.saturating_sub(width), end: first.start });
        true
    }

    /// Moves the waiting calls back by the width of a span at the end of the line. The calls take
    /// the holes first, so that the holes stay the latest positions.
    pub(super) fn move_back(&mut self, span: Span) {
        if self.has_waiters() {
            let Self { owned, holes, .. } = self;
            holes.insert(span);
            holes.take_first(span.width(), |span| owned.insert(span));
            owned.take_first(span.width(), |_| ());
        }
    }

    /// Takes the first hole with room for a contiguous reservation until `latest`.
    pub(super) fn reserve(
        &mut self,
        pace: Pace,
        width: u64,
        now: u64,
        latest: u64,
    ) -> Option<Span> {
        self.holes.expire(now, pace.interval);
        let span = self.holes.first_with(width).filter(|span| pace.turn(span.end) <= latest)?;
        self.holes.take(span);
        Some(span)
    }

    pub(super) fn last_hole(&self) -> Option<Span> {
        self.holes.last()
    }

    pub(super) fn remove_hole(&mut self, hole: Span) {
        self.holes.take(hole);
    }

    /// Returns the first position of the waiting calls.
    pub(super) fn first_position(&self) -> Option<u64> {
        self.owned.first().map(|span| span.start)
    }

    /// Moves all waiting calls to `start`, with other widths, and drops the holes. Returns the end
    /// of the line.
    pub(super) fn move_to(&mut self, start: u64, scaled: impl Fn(u64) -> u64) -> u64 {
        for waiter in self.waiters.values_mut() {
            waiter.width = scaled(waiter.width);
        }
        // A call that has its turn and leaves cannot give up positions of another time line.
        self.turns.values_mut().for_each(Vec::clear);
        let widths = self.waiters.values_mut().map(|waiter| waiter.width);
        let end = widths.fold(start, u64::saturating_add);
        self.holes.clear();
        self.owned.clear();
        self.owned.insert(Span { start, end });
        end
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_call_that_leaves_after_its_turn_frees_its_own_positions_only() {
        let pace = Pace::new(1, Duration::from_nanos(10), 1, Duration::from_nanos(99));
        let (mut line, mut wakers) = (Line::new(), Wakers::default());
        // A call of cost 2, with the position of another call between its positions.
        line.owned.insert(Span { start: 10, end: 20 });
        let plan = Plan { missing: 10, end: 40, turn: 30 };
        let id = line.join(10, plan, 30, Waker::noop().clone());
        line.waiters.get_mut(id).expect("a waiting call").width = 20;
        assert!(line.give_turns(pace, 31, None, &mut wakers));
        line.leave(id, &mut wakers);
        let holes: Vec<Span> = line.holes.iter().collect();
        assert_eq!(holes, [Span { start: 10, end: 20 }, Span { start: 30, end: 40 }]);
    }
}
