//! The running calls of a breaker that counts slow calls: a call counts as slow once it exceeds the
//! limit, before it ends.

use core::time::Duration;
use std::collections::VecDeque;

use super::window::Counts;
use crate::clock::Timestamp;

/// A queue, because calls start in the order of the clock, apart from calls that wait for the lock.
/// The queue keeps its memory, so a call allocates nothing.
#[derive(Debug)]
pub(super) struct RunningCalls {
    /// The number of running calls within the limit, by their start, oldest first.
    in_time: VecDeque<(Timestamp, u32)>,
    /// The number of starts in the queue without a running call.
    ended: usize,
    /// The number of calls beyond the limit.
    overdue: u32,
}

impl RunningCalls {
    pub(super) const fn new() -> Self {
        Self { in_time: VecDeque::new(), ended: 0, overdue: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.in_time.clear();
        (self.ended, self.overdue) = (0, 0);
    }

    pub(super) fn start(&mut self, now: Timestamp) {
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
    pub(super) fn end(&mut self, started: Timestamp) {
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

    /// Returns whether a call has been running for longer than `limit`.
    pub(super) fn has_overdue(&self, now: Timestamp, limit: Duration) -> bool {
        self.overdue > 0 || self.in_time.front().is_some_and(|(oldest, _)| oldest.plus(limit) < now)
    }

    /// Returns the number of calls that have been running for longer than `limit`.
    pub(super) fn overdue(&mut self, now: Timestamp, limit: Duration) -> u32 {
        while let Some((start, calls)) = self.in_time.front().copied() {
            if now <= start.plus(limit) {
                break;
            }
            self.in_time.pop_front();
            self.ended = self.ended.saturating_sub(usize::from(calls == 0));
            self.overdue = self.overdue.saturating_add(calls);
        }
        self.overdue
    }

    /// Adds the overdue calls to the counts of a window, as slow calls.
    pub(super) fn add_to(&self, Counts { calls, failures, slow }: Counts) -> Counts {
        let calls = calls.saturating_add(self.overdue);
        Counts { calls, failures, slow: slow.saturating_add(self.overdue) }
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(1);

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn a_hanging_call_holds_no_memory_of_later_calls() {
        let mut running = RunningCalls::new();
        running.start(at(1));
        for start in 2..10_000 {
            running.start(at(start));
            running.end(at(start));
            assert!(running.in_time.len() <= 4);
        }
        assert_eq!(running.overdue(at(2_000_000), LIMIT), 1);
        running.end(at(1));
        assert_eq!(running.overdue(at(2_000_000), LIMIT), 0);
    }

    #[test]
    fn calls_out_of_order_and_with_equal_starts_count_once_each() {
        let mut running = RunningCalls::new();
        for start in [5, 3, 5, 9, 4, 3] {
            running.start(at(start));
        }
        for start in [3, 4, 5] {
            running.end(at(start));
        }
        running.start(at(4));
        // 3, 4, 5 and 9 are left.
        assert_eq!(running.overdue(at(1_000_004), LIMIT), 1);
        assert_eq!(running.overdue(at(1_000_006), LIMIT), 3);
        running.end(at(3));
        running.end(at(9));
        assert_eq!(running.overdue(at(1_000_020), LIMIT), 2);
    }
}
