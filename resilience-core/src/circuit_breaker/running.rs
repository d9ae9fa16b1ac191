//! The running calls of a breaker that counts slow calls: a call counts as slow once it exceeds the
//! limit, before it ends.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use super::slots::{Place, Slots};
use super::window::Counts;
use crate::clock::Timestamp;

/// The running calls of a generation: in slots, and beyond the number of slots in a list.
#[derive(Debug)]
pub(super) struct RunningCalls {
    /// Shared with the fast paths, without the lock.
    slots: Option<Arc<Slots>>,
    list: CallList,
    /// The number of calls in slots beyond the limit, as of the last search.
    overdue: u32,
}

impl RunningCalls {
    pub(super) const fn new() -> Self {
        Self { slots: None, list: CallList::new(), overdue: 0 }
    }

    /// Uses these slots from now on.
    pub(super) fn use_slots(&mut self, slots: &Arc<Slots>) {
        self.slots.get_or_insert_with(|| Arc::clone(slots));
    }

    /// Removes all calls at the end of a generation. The next search frees the slots.
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.overdue = 0;
        self.expect_search();
    }

    /// Makes the next call search for calls beyond the limit.
    pub(super) fn expect_search(&self) {
        if let Some(slots) = &self.slots {
            slots.expect_search();
        }
    }

    pub(super) fn start(&mut self, generation: u32, now: Timestamp, limit: Duration) -> Place {
        let slots = self.slots.as_ref();
        // A call that has waited for the lock may start before the last search.
        slots.inspect(|slots| slots.expect_search_for(now, limit));
        slots.and_then(|slots| slots.claim(generation, now)).unwrap_or_else(|| {
            self.list.start(now);
            Place::LIST
        })
    }

    /// Removes a call of the current generation.
    pub(super) fn end(&mut self, generation: u32, place: Place, started: Timestamp) {
        match (place, &self.slots) {
            (Place::NONE, _) => {}
            (Place::LIST, _) | (_, None) => self.list.end(started),
            (_, Some(slots)) => {
                let was_overdue = slots.take_back(generation, place);
                self.overdue = self.overdue.saturating_sub(u32::from(was_overdue));
            }
        }
    }

    /// Returns the number of calls that have been running for longer than `limit`.
    pub(super) fn overdue(&mut self, generation: u32, now: Timestamp, limit: Duration) -> u32 {
        if let Some(slots) = self.slots.as_ref().filter(|slots| !slots.are_quiet(now)) {
            let oldest = self.list.oldest(now, limit);
            self.overdue = slots.search(generation, now, limit, oldest);
        }
        self.all_overdue()
    }

    const fn all_overdue(&self) -> u32 {
        self.overdue.saturating_add(self.list.overdue)
    }

    /// Adds the overdue calls to the counts of a window, as slow calls.
    pub(super) fn add_to(&self, Counts { calls, failures, slow }: Counts) -> Counts {
        let overdue = self.all_overdue();
        let calls = calls.saturating_add(overdue);
        Counts { calls, failures, slow: slow.saturating_add(overdue) }
    }
}

/// The calls without a slot. A queue, because calls start in the order of the clock, apart from
/// calls that wait for the lock. The queue keeps its memory, so a call allocates nothing.
#[derive(Debug)]
struct CallList {
    /// The number of running calls within the limit, by their start, oldest first.
    in_time: VecDeque<(Timestamp, u32)>,
    /// The number of starts in the queue without a running call.
    ended: usize,
    /// The number of calls beyond the limit.
    overdue: u32,
}

impl CallList {
    const fn new() -> Self {
        Self { in_time: VecDeque::new(), ended: 0, overdue: 0 }
    }

    fn clear(&mut self) {
        self.in_time.clear();
        (self.ended, self.overdue) = (0, 0);
    }

    fn start(&mut self, now: Timestamp) {
        if self.in_time.back().is_none_or(|(last, _)| *last < now) {
            self.in_time.push_back((now, 1));
            return;
        }
        match self.in_time.binary_search_by_key(&now, |(start, _)| *start) {
            Err(index) => self.in_time.insert(index, (now, 1)),
            Ok(index) => {
                if let Some((_, calls)) = self.in_time.get_mut(index) {
                    self.ended = self.ended.saturating_sub(usize::from(*calls == 0));
                    *calls = calls.saturating_add(1);
                }
            }
        }
    }

    /// Removes the call with this start.
    fn end(&mut self, started: Timestamp) {
        if self.in_time.front() == Some(&(started, 1)) {
            self.in_time.pop_front();
            self.remove_ended();
            return;
        }
        let found = self.in_time.binary_search_by_key(&started, |(start, _)| *start).ok();
        match found.and_then(|index| self.in_time.get_mut(index)) {
            Some((_, calls)) if *calls > 0 => {
                *calls -= 1;
                self.ended += usize::from(*calls == 0);
                self.remove_ended();
            }
            _ => self.overdue = self.overdue.saturating_sub(1),
        }
    }

    /// Removes starts without a running call: at the front, and everywhere once they are more than
    /// half of the queue. So the cost per call is constant, and a call that hangs holds no memory
    /// of the calls behind.
    fn remove_ended(&mut self) {
        while self.in_time.front().is_some_and(|(_, calls)| *calls == 0) {
            self.in_time.pop_front();
            self.ended = self.ended.saturating_sub(1);
        }
        if self.ended > self.in_time.len() / 2 {
            self.in_time.retain(|(_, calls)| *calls > 0);
            self.ended = 0;
        }
    }

    /// Counts the calls that have been running for longer than `limit`. Returns the first start:
    /// `now` without a running call, and a time before all calls with an overdue call.
    fn oldest(&mut self, now: Timestamp, limit: Duration) -> Timestamp {
        while let Some((start, calls)) = self.in_time.front().copied() {
            if now <= start.plus(limit) {
                break;
            }
            self.in_time.pop_front();
            self.ended = self.ended.saturating_sub(usize::from(calls == 0));
            self.overdue = self.overdue.saturating_add(calls);
        }
        match self.in_time.front() {
            _ if self.overdue > 0 => Timestamp::from_nanos(0),
            Some((start, _)) => *start,
            None => now,
        }
    }
}

#[cfg(all(test, not(resilience_loom)))]
#[expect(clippy::cast_possible_truncation, clippy::unwrap_used, reason = "numbers of a test")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LIMIT_NANOS: u64 = 1_000_000;
    const LIMIT: Duration = Duration::from_nanos(LIMIT_NANOS);
    const STEP: u64 = LIMIT_NANOS / 8;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn overdue(calls: &mut CallList, now: u64) -> u32 {
        calls.oldest(at(now), LIMIT);
        calls.overdue
    }

    #[test]
    fn a_hanging_call_holds_no_memory_of_later_calls() {
        let mut calls = CallList::new();
        calls.start(at(1));
        for start in 2..10_000 {
            calls.start(at(start));
            calls.end(at(start));
            assert!(calls.in_time.len() <= 4);
        }
        assert_eq!(overdue(&mut calls, 2_000_000), 1);
        calls.end(at(1));
        assert_eq!(overdue(&mut calls, 2_000_000), 0);
    }

    #[test]
    fn calls_out_of_order_and_with_equal_starts_count_once_each() {
        let mut calls = CallList::new();
        for start in [5, 3, 5, 9, 4, 3] {
            calls.start(at(start));
        }
        for start in [3, 4, 5] {
            calls.end(at(start));
        }
        calls.start(at(4));
        // 3, 4, 5 and 9 are left.
        assert_eq!(overdue(&mut calls, 1_000_004), 1);
        assert_eq!(overdue(&mut calls, 1_000_006), 3);
        calls.end(at(3));
        calls.end(at(9));
        assert_eq!(overdue(&mut calls, 1_000_020), 2);
    }

    #[test]
    fn starts_without_a_call_stay_until_they_are_more_than_half() {
        let mut calls = CallList::new();
        (1..=10).for_each(|start| calls.start(at(start)));
        (5..10).for_each(|start| calls.end(at(start)));
        assert_eq!((calls.in_time.len(), calls.ended), (10, 5));
        calls.end(at(4));
        assert_eq!((calls.in_time.len(), calls.ended), (4, 0));
    }

    /// Calls with starts in any order, compared with the number of calls of each start.
    #[test]
    fn every_order_of_starts_and_ends_counts_alike() {
        let mut random = 1_u64;
        let mut below = |limit: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % limit
        };
        for _ in 0..200 {
            let (mut calls, mut all) = (CallList::new(), BTreeMap::new());
            let (mut now, mut late) = (2 * LIMIT_NANOS, Vec::new());
            for _ in 0..100 {
                now += below(2) * STEP;
                match below(5) {
                    0 | 1 => {
                        // A call that has waited for the lock may be older than the limit.
                        let start = now - below(12) * STEP;
                        calls.start(at(start));
                        *all.entry(start).or_insert(0) += 1;
                    }
                    2 | 3 if all.values().any(|calls| *calls > 0) && below(4) > 0 => {
                        all.retain(|_, calls| *calls > 0);
                        let start = *all.keys().nth(below(all.len() as u64) as usize).unwrap();
                        calls.end(at(start));
                        all.entry(start).and_modify(|calls| *calls -= 1);
                        assert!(calls.ended <= calls.in_time.len() / 2);
                        assert!(calls.in_time.front().is_none_or(|(_, calls)| *calls > 0));
                    }
                    2 | 3 => {
                        if let Some(start) = late.pop() {
                            calls.end(at(start));
                            // Calls with one start are alike: a call in time ends first.
                            if let Some(calls) = all.get_mut(&start).filter(|calls| **calls > 0) {
                                *calls -= 1;
                                late.push(start);
                            }
                        }
                    }
                    _ => {
                        let oldest = calls.oldest(at(now), LIMIT);
                        let in_time = all.split_off(&(now - LIMIT_NANOS));
                        for (start, calls) in core::mem::replace(&mut all, in_time) {
                            late.extend((0..calls).map(|_| start));
                        }
                        let first = calls.in_time.front().map(|(start, _)| *start);
                        let no_late = first.unwrap_or(at(now));
                        assert_eq!(oldest, if late.is_empty() { no_late } else { at(0) });
                    }
                }
                assert!(calls.in_time.iter().is_sorted_by(|(one, _), (other, _)| one < other));
                let ended = calls.in_time.iter().filter(|(_, calls)| *calls == 0).count();
                assert_eq!((calls.ended, calls.overdue as usize), (ended, late.len()));
                let running: u32 = calls.in_time.iter().map(|(_, calls)| calls).sum();
                assert_eq!(running, all.values().sum::<u32>());
            }
        }
    }
}
