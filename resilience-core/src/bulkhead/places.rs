//! Who runs and who waits. A permit that comes back goes straight to the first who waits, so that it is
//! never free while there is a queue, and no newcomer can be quicker.

use core::mem;
use core::num::NonZeroU64;
use core::task::Waker;
use std::collections::VecDeque;

use crate::sync::{Mutex, MutexGuard, const_fn, lock};

/// The lock is held for a few steps only, and never while a waker is cloned, woken or dropped: wakers
/// belong to the executor and may do anything, even come back here.
#[derive(Debug)]
pub(super) struct Places(Mutex<State>);

#[derive(Debug)]
struct State {
    running: u32,
    /// In order of arrival, and so of their tickets.
    waiting: VecDeque<Waiter>,
    last: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    waker: Waker,
}

/// A place in the queue. Whoever holds one that is no longer in the queue has been handed a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(NonZeroU64);

/// What became of an attempt to enter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Running,
    Waiting(Ticket),
    Full,
}

impl Places {
    const_fn! {
        pub(super) fn new() -> Self {
            Self(Mutex::new(State { running: 0, waiting: VecDeque::new(), last: 0 }))
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Takes a permit where one is free.
    #[inline]
    pub(super) fn try_enter(&self, max: u32) -> bool {
        self.lock().try_enter(max)
    }

    /// Takes a permit where one is free, else one of `places` places in the queue.
    pub(super) fn enter(&self, max: u32, places: usize, waker: Waker) -> Entry {
        let mut state = self.lock();
        if state.try_enter(max) {
            return Entry::Running;
        }
        if state.waiting.len() >= places {
            return Entry::Full;
        }
        state.last = state.last.saturating_add(1);
        let ticket = Ticket(NonZeroU64::new(state.last).unwrap_or(NonZeroU64::MIN));
        state.waiting.push_back(Waiter { ticket, waker });
        Entry::Waiting(ticket)
    }

    /// Whether the holder of the ticket has been handed a permit; if not, `waker` will tell.
    pub(super) fn is_served(&self, ticket: Ticket, waker: Waker) -> bool {
        let mut state = self.lock();
        let Some(waiter) = state.find(ticket).and_then(|index| state.waiting.get_mut(index)) else {
            return true;
        };
        let old = mem::replace(&mut waiter.waker, waker);
        drop(state);
        drop(old);
        false
    }

    /// Leaves the queue; `false` where a permit has been handed over before.
    pub(super) fn leave(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        let left = state.find(ticket).and_then(|index| state.waiting.remove(index));
        drop(state);
        left.is_some()
    }

    /// Gives a permit back, or on to the first who waits.
    pub(super) fn exit(&self) {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.running = state.running.saturating_sub(1);
        }
        drop(state);
        if let Some(next) = next {
            next.waker.wake();
        }
    }

    pub(super) fn running(&self) -> u32 {
        self.lock().running
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }
}

impl State {
    fn try_enter(&mut self, max: u32) -> bool {
        let free = self.running < max;
        self.running += u32::from(free);
        free
    }

    fn find(&self, ticket: Ticket) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |waiter| waiter.ticket).ok()
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use loom::thread;

    use super::*;
    use crate::park::Parker;

    /// Enters, and waits for a permit as long as it takes. A lost wake-up is a deadlock, which the
    /// model finds.
    fn enter(places: &Places) {
        let parker = Parker::new();
        let Entry::Waiting(ticket) = places.enter(1, usize::MAX, parker.waker()) else { return };
        while !places.is_served(ticket, parker.waker()) {
            parker.park(None);
        }
    }

    fn run_alone(places: &Places, running: &AtomicU32) {
        assert_eq!(running.fetch_add(1, SeqCst), 0, "two at once");
        running.fetch_sub(1, SeqCst);
        places.exit();
    }

    /// Three threads: with every interleaving of up to three preemptions, because all of them are too
    /// many to wait for.
    #[test]
    fn one_at_a_time_and_nobody_is_forgotten() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let shared = Arc::new((Places::new(), AtomicU32::new(0)));
            let call = |shared: &(Places, AtomicU32)| {
                enter(&shared.0);
                run_alone(&shared.0, &shared.1);
            };
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || call(&shared))
                })
                .collect();
            call(&shared);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!((shared.0.running(), shared.0.waiting()), (0, 0));
        });
    }

    #[test]
    fn who_gives_up_passes_on_what_it_was_handed() {
        loom::model(|| {
            let shared = Arc::new((Places::new(), AtomicU32::new(0)));
            assert!(shared.0.try_enter(1));
            let given_up = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let entry = shared.0.enter(1, usize::MAX, Waker::noop().clone());
                    let handed = match entry {
                        Entry::Waiting(ticket) => !shared.0.leave(ticket),
                        entry => entry == Entry::Running,
                    };
                    if handed {
                        run_alone(&shared.0, &shared.1);
                    }
                })
            };
            let patient = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    enter(&shared.0);
                    run_alone(&shared.0, &shared.1);
                })
            };
            run_alone(&shared.0, &shared.1);
            given_up.join().unwrap();
            patient.join().unwrap();
            assert_eq!((shared.0.running(), shared.0.waiting()), (0, 0));
        });
    }
}
