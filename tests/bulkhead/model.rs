//! Every sequence of calls, waits and departures, against a model that keeps a list of waiters.

use proptest::prelude::*;
use resilience::{Bulkhead, BulkheadPermit};
use std::task::Poll;

use crate::Waiter;

#[derive(Clone, Debug)]
enum Step {
    Try,
    Wait,
    Poll(usize),
    Leave(usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Try),
        2 => Just(Step::Wait),
        2 => any::<usize>().prop_map(Step::Poll),
        1 => any::<usize>().prop_map(Step::Leave),
        2 => any::<usize>().prop_map(Step::Release),
    ]
}

/// A list of waiters, in order of arrival. A waiter with a permit is not in the queue.
struct Model {
    max: usize,
    capacity: usize,
    running: usize,
    queue: Vec<usize>,
    assigned: Vec<usize>,
}

impl Model {
    fn try_acquire(&mut self) -> bool {
        let free = self.running < self.max;
        self.running += usize::from(free);
        free
    }

    fn release(&mut self) {
        if self.queue.is_empty() {
            self.running -= 1;
        } else {
            self.assigned.push(self.queue.remove(0));
        }
    }

    fn poll(&mut self, waiter: usize) -> bool {
        let index = self.assigned.iter().position(|other| *other == waiter);
        index.map(|index| self.assigned.remove(index)).is_some()
    }

    fn leave(&mut self, waiter: usize) {
        if self.poll(waiter) {
            self.release();
        } else {
            self.queue.retain(|other| *other != waiter);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_answer_is_the_answer_of_the_model(
        max in 1..4_u32,
        capacity in 1..6_u32,
        steps in prop::collection::vec(step(), 1..100),
    ) {
        let bulkhead = Bulkhead::new(max).queue(capacity);
        let mut model = Model {
            max: max as usize,
            capacity: capacity as usize,
            running: 0,
            queue: vec![],
            assigned: vec![],
        };
        let mut permits: Vec<BulkheadPermit<'_>> = vec![];
        let mut waiting: Vec<(usize, Waiter<'_>)> = vec![];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Try => {
                    let answer = bulkhead.try_acquire();
                    prop_assert_eq!(answer.is_ok(), model.try_acquire());
                    permits.extend(answer);
                }
                Step::Wait if model.running < model.max || model.queue.len() == model.capacity => {
                    let answer = crate::at_once(bulkhead.acquire());
                    prop_assert_eq!(answer.is_ok(), model.try_acquire());
                    permits.extend(answer);
                }
                Step::Wait => {
                    waiting.push((number, Waiter::new(&bulkhead)));
                    model.queue.push(number);
                }
                Step::Poll(which) if !waiting.is_empty() => {
                    let which = which % waiting.len();
                    let answer = waiting[which].1.poll();
                    prop_assert_eq!(answer.is_ready(), model.poll(waiting[which].0));
                    if let Poll::Ready(permit) = answer {
                        permits.extend(permit);
                        waiting.remove(which);
                    }
                }
                Step::Leave(which) if !waiting.is_empty() => {
                    let (number, waiter) = waiting.remove(which % waiting.len());
                    drop(waiter);
                    model.leave(number);
                }
                Step::Release(which) if !permits.is_empty() => {
                    drop(permits.remove(which % permits.len()));
                    model.release();
                }
                Step::Poll(_) | Step::Leave(_) | Step::Release(_) => {}
            }
            prop_assert_eq!(bulkhead.running() as usize, model.running);
            prop_assert_eq!(bulkhead.queued(), model.queue.len());
            // Woken waiters are the waiters with a permit.
            for (number, waiter) in &waiting {
                prop_assert_eq!(waiter.wakes() > 0, model.assigned.contains(number));
            }
        }
    }
}
