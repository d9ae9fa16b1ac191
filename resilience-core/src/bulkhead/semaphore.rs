//! A fair semaphore. A returned permit goes straight to the first waiter: no permit is free while
//! the queue has waiters, so a new call cannot overtake.

use core::mem;
use core::task::Waker;

use crate::sync::{Mutex, MutexGuard, const_fn, lock};
use crate::waiters::{WaiterId, Waiters};

/// The lock is held for a few steps, and never while a waker is cloned, woken or dropped. Wakers
/// run code of the executor, which may call back into the semaphore.
#[derive(Debug)]
pub(super) struct Semaphore(Mutex<State>);

#[derive(Debug)]
struct State {
    running: u32,
    /// A waiter that is no longer in the queue has a permit.
    waiting: Waiters<Waker>,
}

/// The result of joining the queue.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Acquired {
    Permit,
    Queued(WaiterId),
    Full,
}

impl Semaphore {
    const_fn! {
        pub(super) fn new() -> Self {
            Self(Mutex::new(State { running: 0, waiting: Waiters::new() }))
        }
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Takes a permit if available.
    #[inline]
    pub(super) fn try_acquire(&self, max: u32) -> bool {
        self.lock().try_acquire(max)
    }

    /// Takes a permit above the limit. Returns the number of permits in use before.
    pub(super) fn acquire_above_limit(&self) -> u32 {
        let mut state = self.lock();
        let running = state.running;
        state.running = running.saturating_add(1);
        running
    }

    /// Takes a permit if available, or joins the queue of at most `capacity` waiters.
    pub(super) fn acquire_or_queue(&self, max: u32, capacity: usize, waker: Waker) -> Acquired {
        let mut state = self.lock();
        if state.try_acquire(max) {
            return Acquired::Permit;
        }
        if state.waiting.len() >= capacity {
            return Acquired::Full;
        }
        Acquired::Queued(state.waiting.join(waker))
    }

    /// Returns whether the waiter has a permit. If not, stores `waker` for the permit.
    pub(super) fn has_permit(&self, id: WaiterId, waker: Waker) -> bool {
        let mut state = self.lock();
        let Some(stored) = state.waiting.get_mut(id) else { return true };
        let old = mem::replace(stored, waker);
        drop(state);
        drop(old);
        false
    }

    /// Leaves the queue. Returns `false` if a permit has been assigned.
    pub(super) fn leave_queue(&self, id: WaiterId) -> bool {
        let mut state = self.lock();
        let left = state.waiting.remove(id);
        drop(state);
        left.is_some()
    }

    /// Returns a permit, or passes the permit to the first waiter.
    pub(super) fn release(&self) {
        let mut state = self.lock();
        let next = state.waiting.pop_first();
        if next.is_none() {
            state.running = state.running.saturating_sub(1);
        }
        drop(state);
        if let Some((_, waker)) = next {
            waker.wake();
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
    fn try_acquire(&mut self, max: u32) -> bool {
        let free = self.running < max;
        self.running += u32::from(free);
        free
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use loom::thread;

    use super::*;
    use crate::park::Parker;

    /// Waits for a permit without a limit. A lost wake-up is a deadlock, and loom reports the
    /// deadlock.
    fn acquire_or_queue(semaphore: &Semaphore) {
        let parker = Parker::new();
        let Acquired::Queued(waiter) = semaphore.acquire_or_queue(1, usize::MAX, parker.waker())
        else {
            return;
        };
        while !semaphore.has_permit(waiter, parker.waker()) {
            parker.park(None);
        }
    }

    fn run_alone(semaphore: &Semaphore, running: &AtomicU32) {
        assert_eq!(running.fetch_add(1, SeqCst), 0, "two at once");
        running.fetch_sub(1, SeqCst);
        semaphore.release();
    }

    /// Three threads, with up to three preemptions: all interleavings would take too long.
    #[test]
    fn one_call_at_a_time_and_no_waiter_is_lost() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let shared = Arc::new((Semaphore::new(), AtomicU32::new(0)));
            let call = |shared: &(Semaphore, AtomicU32)| {
                acquire_or_queue(&shared.0);
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
    fn a_leaving_waiter_passes_an_assigned_permit_on() {
        loom::model(|| {
            let shared = Arc::new((Semaphore::new(), AtomicU32::new(0)));
            assert!(shared.0.try_acquire(1));
            let given_up = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let entry = shared.0.acquire_or_queue(1, usize::MAX, Waker::noop().clone());
                    let handed = match entry {
                        Acquired::Queued(waiter) => !shared.0.leave_queue(waiter),
                        entry => entry == Acquired::Permit,
                    };
                    if handed {
                        run_alone(&shared.0, &shared.1);
                    }
                })
            };
            let patient = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    acquire_or_queue(&shared.0);
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
