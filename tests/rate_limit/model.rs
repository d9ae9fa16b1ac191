//! Every sequence of calls, waits and departures, against a model that keeps a list of positions.
#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use proptest::prelude::*;
use resilience::{RateLimitAcquire, RateLimiter, Reservation};

use crate::ns;

/// The age of the oldest turn that a late waiter keeps.
const KEPT: u64 = 10_000_000;

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Try(u32),
    /// Starts a call that may wait.
    Wait(u32),
    Poll(usize),
    /// Drops a waiting call.
    Leave(usize),
    Reserve,
    /// Returns a reservation.
    Return(usize),
    Settle(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_000_u64).prop_map(Step::Pass),
        2 => (1..4_u32).prop_map(Step::Try),
        5 => (1..4_u32).prop_map(Step::Wait),
        3 => any::<usize>().prop_map(Step::Poll),
        3 => any::<usize>().prop_map(Step::Leave),
        2 => Just(Step::Reserve),
        2 => any::<usize>().prop_map(Step::Return),
        1 => (0..4_u32, 0..4_u32).prop_map(|(taken, actual)| Step::Settle(taken, actual)),
    ]
}

/// Positions, one by one, in place of ranges.
struct Model {
    interval: u64,
    tolerance: u64,
    wait: u64,
    now: u64,
    /// The first free position at the end.
    end: u64,
    holes: BTreeSet<u64>,
    /// The positions of waiting calls.
    owned: BTreeSet<u64>,
    /// Waiting calls in order of arrival, with their costs.
    queue: Vec<(usize, u32)>,
    /// Calls with a turn, not polled yet, with their positions.
    turns: BTreeMap<usize, Vec<u64>>,
    kept_until: u64,
}

/// The answer to a call: now, later, or rejected with the time until a call need not wait.
#[derive(Debug, PartialEq)]
enum Answer {
    Now,
    Later,
    Rejected(u64),
}

impl Model {
    fn turn(&self, last: u64) -> u64 {
        last.saturating_sub(self.tolerance)
    }

    fn positions(&self, from: u64, cost: u32) -> Vec<u64> {
        (0..u64::from(cost)).map(|number| from + number * self.interval).collect()
    }

    /// Gives the turn to the calls whose last position is due.
    fn give_turns(&mut self) {
        while let Some((call, cost)) = self.queue.first().copied() {
            let Some(last) = self.owned.iter().nth(cost as usize - 1).copied() else { return };
            if self.turn(last) > self.now {
                return;
            }
            if self.turn(last) < self.now {
                self.kept_until = self.now;
            }
            let positions = self.owned.iter().take(cost as usize).copied().collect();
            self.owned.retain(|position| *position > last);
            self.queue.remove(0);
            self.turns.insert(call, positions);
        }
    }

    /// Returns whether a call has its turn, or will have its turn at the next change.
    fn has_turns(&self) -> bool {
        let due = self.queue.first().and_then(|(_, cost)| {
            let last = self.owned.iter().nth(*cost as usize - 1)?;
            Some(self.turn(*last) <= self.now)
        });
        !self.turns.is_empty() || due == Some(true)
    }

    /// The earliest positions of all belong to the waiting calls, and the end has no hole.
    fn settle_line(&mut self) {
        let count = self.owned.len();
        if count > 0 {
            let all: BTreeSet<u64> = self.owned.union(&self.holes).copied().collect();
            self.owned = all.iter().take(count).copied().collect();
            self.holes = all.iter().skip(count).copied().collect();
        }
        while self.holes.last().is_some_and(|last| last + self.interval == self.end) {
            self.end = self.holes.pop_last().expect("a hole");
        }
        self.give_turns();
    }

    fn expire(&mut self) {
        self.holes.retain(|position| *position >= self.now);
    }

    fn take_end(&mut self, cost: u32, wait: u64) -> Result<u64, u64> {
        let from = self.end.max(self.now);
        let last = from + u64::from(cost - 1) * self.interval;
        let left = self.turn(last).saturating_sub(self.now);
        if left > wait {
            return Err(left);
        }
        self.end = last + self.interval;
        Ok(from)
    }

    fn call(&mut self, call: usize, cost: u32, wait: u64) -> Answer {
        self.give_turns();
        let mut end = self.end;
        if end < self.now {
            let is_kept = end <= self.kept_until && self.now - end <= KEPT;
            if !is_kept {
                (end, self.kept_until) = (self.now, 0);
            }
        }
        self.expire();
        let mut positions: Vec<u64> = self.holes.iter().take(cost as usize).copied().collect();
        let missing = cost - positions.len() as u32;
        positions.extend(self.positions(end, missing));
        let turn = self.turn(*positions.last().expect("a cost"));
        let left = turn.saturating_sub(self.now);
        let starts = left == 0 && self.queue.is_empty();
        if left > wait || wait == 0 && !starts {
            return Answer::Rejected(left);
        }
        self.holes.retain(|position| !positions.contains(position));
        if missing > 0 {
            self.end = positions.last().expect("a cost") + self.interval;
        }
        if starts {
            return Answer::Now;
        }
        self.owned.extend(positions);
        self.queue.push((call, cost));
        Answer::Later
    }

    fn try_acquire(&mut self, cost: u32) -> Answer {
        match self.take_end(cost, 0) {
            Ok(_) => Answer::Now,
            Err(_) if !self.holes.is_empty() => self.call(usize::MAX, cost, 0),
            Err(left) => Answer::Rejected(left),
        }
    }

    fn acquire(&mut self, call: usize, cost: u32) -> Answer {
        if self.kept_until == 0 && self.take_end(cost, 0).is_ok() {
            return Answer::Now;
        }
        self.call(call, cost, self.wait)
    }

    fn poll(&mut self, call: usize) -> bool {
        self.give_turns();
        self.turns.remove(&call).is_some()
    }

    fn leave(&mut self, call: usize) {
        self.give_turns();
        if let Some(positions) = self.turns.remove(&call) {
            self.holes.extend(positions);
        } else {
            let index = self.queue.iter().position(|(other, _)| *other == call);
            let (_, cost) = self.queue.remove(index.expect("a waiting call"));
            for _ in 0..cost {
                self.holes.extend(self.owned.pop_last());
            }
        }
        self.settle_line();
    }

    fn reserve(&mut self) -> Result<u64, u64> {
        if !self.holes.is_empty() {
            self.expire();
            let first = self.holes.first().copied();
            let latest = self.now + self.wait;
            if let Some(hole) = first.filter(|hole| self.turn(*hole) <= latest) {
                self.holes.remove(&hole);
                return Ok(hole);
            }
        }
        self.take_end(1, self.wait)
    }

    fn give_back(&mut self, position: u64) {
        self.give_turns();
        self.holes.insert(position);
        self.settle_line();
    }

    fn refund(&mut self, cost: u32) {
        self.give_turns();
        let width = u64::from(cost) * self.interval;
        let first = self.owned.first().copied();
        if let Some(first) = first {
            let freed = self.positions(first - width, cost);
            self.holes.extend(freed);
        }
        self.settle_line();
        if first.is_none() {
            self.end = self.end.saturating_sub(width);
        }
    }

    fn charge(&mut self, cost: u32) {
        let from = self.end.max(self.now);
        let added = self.positions(from, cost);
        self.end = from + u64::from(cost) * self.interval;
        if !self.queue.is_empty() {
            self.owned.extend(added);
            for _ in 0..cost {
                self.owned.pop_first();
            }
        }
    }
}

struct Run<'l> {
    limiter: &'l RateLimiter,
    model: Model,
    waiting: Vec<(usize, Pin<Box<RateLimitAcquire<'l>>>)>,
    reserved: Vec<(u64, Reservation<'l>)>,
    calls: usize,
}

impl Run<'_> {
    fn check(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let model = &mut self.model;
        let mut context = Context::from_waker(Waker::noop());
        let left = |rejected: resilience::Rejected| {
            rejected.retry_after().map(|left| left.as_nanos() as u64)
        };
        match *step {
            Step::Try(cost) => {
                let answer = self.limiter.try_acquire_many(cost);
                match model.try_acquire(cost) {
                    Answer::Rejected(expected) => {
                        // The time of a call that is never possible is unknown.
                        let left = left(answer.expect_err("rejected by the model"));
                        prop_assert!(
                            left.is_none_or(|left| left == expected),
                            "{left:?} {expected}"
                        );
                    }
                    expected => prop_assert!(answer.is_ok(), "{:?} {:?}", answer, expected),
                }
            }
            Step::Wait(cost) => {
                let number = self.calls;
                self.calls += 1;
                let mut call = Box::pin(self.limiter.acquire_many(cost));
                let answer = call.as_mut().poll(&mut context);
                match (model.acquire(number, cost), answer) {
                    (Answer::Now, std::task::Poll::Ready(Ok(()))) => {}
                    (Answer::Later, std::task::Poll::Pending) => self.waiting.push((number, call)),
                    (Answer::Rejected(expected), std::task::Poll::Ready(Err(rejected))) => {
                        let left = left(rejected);
                        prop_assert!(
                            left.is_none_or(|left| left == expected),
                            "{left:?} {expected}"
                        );
                    }
                    (expected, answer) => prop_assert!(false, "{expected:?} {answer:?}"),
                }
            }
            Step::Poll(which) if !self.waiting.is_empty() => {
                let which = which % self.waiting.len();
                let (number, call) = &mut self.waiting[which];
                let is_ready = call.as_mut().poll(&mut context).is_ready();
                prop_assert_eq!(is_ready, model.poll(*number));
                if is_ready {
                    drop(self.waiting.remove(which));
                }
            }
            Step::Leave(which) if !self.waiting.is_empty() => {
                let (number, call) = self.waiting.remove(which % self.waiting.len());
                drop(call);
                model.leave(number);
            }
            Step::Reserve => {
                let answer = self.limiter.reserve();
                match (model.reserve(), answer) {
                    (Ok(position), Ok(reservation)) => {
                        let delay = model.turn(position).saturating_sub(model.now);
                        prop_assert_eq!(reservation.delay(), ns(delay));
                        self.reserved.push((position, reservation));
                    }
                    (Err(expected), Err(rejected)) => {
                        prop_assert_eq!(left(rejected), Some(expected));
                    }
                    (expected, answer) => prop_assert!(false, "{expected:?} {answer:?}"),
                }
            }
            Step::Return(which) if !self.reserved.is_empty() => {
                let (position, reservation) = self.reserved.remove(which % self.reserved.len());
                let is_used = reservation.delay().is_zero();
                drop(reservation);
                if !is_used {
                    model.give_back(position);
                }
            }
            // A refund of positions that other calls hold has no model: refunds come alone.
            Step::Settle(taken, actual) if self.reserved.is_empty() && !model.has_turns() => {
                self.limiter.settle(taken, actual);
                if actual < taken {
                    model.refund(taken - actual);
                } else if actual > taken {
                    model.charge(actual - taken);
                }
            }
            Step::Pass(_) | Step::Poll(_) | Step::Leave(_) | Step::Return(_) | Step::Settle(..) => {
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_answer_is_the_answer_of_the_model(
        interval in 1..2_000_u64,
        burst in 1..5_u32,
        wait in 0..20_000_u64,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let limiter = RateLimiter::new(1, ns(interval)).burst(burst).wait(ns(wait));
            let start = tokio::time::Instant::now();
            let model = Model {
                interval,
                tolerance: u64::from(burst - 1) * interval,
                wait,
                now: 1 << 62,
                end: 0,
                holes: BTreeSet::new(),
                owned: BTreeSet::new(),
                queue: Vec::new(),
                turns: BTreeMap::new(),
                kept_until: 0,
            };
            // Positions of the past give no room before the first call.
            let mut run = Run { limiter: &limiter, model, waiting: vec![], reserved: vec![], calls: 0 };
            for step in &steps {
                if let Step::Pass(by) = step {
                    tokio::time::advance(Duration::from_nanos(*by)).await;
                }
                run.model.now = (1 << 62) + start.elapsed().as_nanos() as u64;
                run.check(step)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
