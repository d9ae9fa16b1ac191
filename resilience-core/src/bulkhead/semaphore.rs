//! A fair semaphore. A returned permit goes straight to the first waiter: while the queue has
//! waiters, a new call takes no permit, so a new call cannot overtake.
//!
//! The number of permits in use is an atomic word. Without waiters a call takes and returns a
//! permit by one atomic instruction each. A bit of the word says that the queue has waiters; then
//! the call that returns a permit takes the lock of the queue. The bit changes under the lock only.

use core::mem;
use core::sync::atomic::Ordering::{AcqRel, Acquire};
use core::task::Waker;

use crate::sync::{AtomicU64, Mutex, MutexGuard, const_fn, lock};
use crate::waiters::{WaiterId, Waiters};

/// A permit in use.
const PERMIT: u64 = 1;
/// The queue has waiters, so a new call takes no permit. The highest bit: a word with the bit
/// exceeds every limit, so a single comparison finds out whether a call may take a permit.
const HAS_WAITERS: u64 = 1 << 63;

#[derive(Debug)]
pub(super) struct Semaphore {
    word: AtomicU64,
    /// A waiter that is no longer in the queue has a permit. The lock is held for a few steps, and
    /// never while a waker is cloned, woken or dropped. Wakers run code of the executor, which may
    /// call back into the semaphore.
    queue: Mutex<Waiters<Waker>>,
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
            Self { word: AtomicU64::new(0), queue: Mutex::new(Waiters::new()) }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Waiters<Waker>> {
        lock(&self.queue)
    }

    /// Takes a permit if available.
    #[inline]
    pub(super) fn try_acquire(&self, max: u32) -> bool {
        let mut word = self.word.load(Acquire);
        while has_room(word, max) {
            match self.swap(word, word + PERMIT) {
                Ok(()) => return true,
                Err(other) => word = other,
            }
        }
        false
    }

    /// Takes a permit above the limit. Returns the number of permits in use before.
    pub(super) fn acquire_above_limit(&self) -> u32 {
        in_use(self.word.fetch_add(PERMIT, AcqRel))
    }

    /// Takes a permit if available, or joins the queue of at most `capacity` waiters.
    pub(super) fn acquire_or_queue(&self, max: u32, capacity: usize, waker: Waker) -> Acquired {
        let mut queue = self.queue();
        let mut word = self.word.load(Acquire);
        loop {
            let has_room = has_room(word, max);
            if !has_room && queue.len() >= capacity {
                return Acquired::Full;
            }
            // The bit is set only while all permits are in use: a permit that returns meanwhile
            // changes the word.
            let next = if has_room { word + PERMIT } else { word | HAS_WAITERS };
            match self.swap(word, next) {
                Ok(()) if has_room => return Acquired::Permit,
                Ok(()) => return Acquired::Queued(queue.join(waker)),
                Err(other) => word = other,
            }
        }
    }

    /// Returns whether the waiter has a permit. If not, stores `waker` for the permit.
    pub(super) fn has_permit(&self, id: WaiterId, waker: Waker) -> bool {
        let mut queue = self.queue();
        let Some(stored) = queue.get_mut(id) else { return true };
        let old = mem::replace(stored, waker);
        drop(queue);
        drop(old);
        false
    }

    /// Leaves the queue. Returns `false` if a permit has been assigned.
    pub(super) fn leave_queue(&self, id: WaiterId) -> bool {
        let mut queue = self.queue();
        let left = queue.remove(id);
        self.update_bit(&queue);
        drop(queue);
        left.is_some()
    }

    /// Returns a permit. Returns whether the queue has waiters: [`grow`](Self::grow) then gives the
    /// permit to the first waiter. The bit keeps new calls from the permit meanwhile.
    #[inline]
    pub(super) fn release(&self) -> bool {
        self.word.fetch_sub(PERMIT, AcqRel) & HAS_WAITERS != 0
    }

    /// Gives free permits to the first waiters: a returned permit, or the permits of a raised
    /// limit.
    pub(super) fn grow(&self, max: u32) {
        loop {
            let mut queue = self.queue();
            if queue.is_empty() || self.running() >= max {
                return;
            }
            let next = queue.pop_first();
            self.word.fetch_add(PERMIT, AcqRel);
            self.update_bit(&queue);
            drop(queue);
            if let Some((_, waker)) = next {
                waker.wake();
            }
        }
    }

    /// Clears the bit once the queue is empty.
    fn update_bit(&self, queue: &Waiters<Waker>) {
        if queue.is_empty() {
            self.word.fetch_and(!HAS_WAITERS, AcqRel);
        }
    }

    pub(super) fn running(&self) -> u32 {
        in_use(self.word.load(Acquire))
    }

    pub(super) fn waiting(&self) -> usize {
        if self.word.load(Acquire) & HAS_WAITERS == 0 { 0 } else { self.queue().len() }
    }

    #[inline]
    fn swap(&self, word: u64, next: u64) -> Result<(), u64> {
        self.word.compare_exchange(word, next, AcqRel, Acquire).map(drop)
    }
}

/// Returns whether a call may take a permit.
#[inline]
fn has_room(word: u64, max: u32) -> bool {
    word < u64::from(max)
}

/// Returns the number of permits in use.
fn in_use(word: u64) -> u32 {
    u32::try_from(word & !HAS_WAITERS).unwrap_or(u32::MAX)
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

    fn release(semaphore: &Semaphore) {
        if semaphore.release() {
            semaphore.grow(1);
        }
    }

    fn run_alone(semaphore: &Semaphore, running: &AtomicU32) {
        assert_eq!(running.fetch_add(1, SeqCst), 0, "two at once");
        running.fetch_sub(1, SeqCst);
        release(semaphore);
    }

    /// Up to three preemptions: all interleavings of three threads would take too long.
    fn bounded() -> loom::model::Builder {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model
    }

    #[test]
    fn one_call_at_a_time_and_no_waiter_is_lost() {
        bounded().check(|| {
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
        bounded().check(|| {
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

    /// A call without a wait comes while a waiter leaves and a permit returns.
    #[test]
    fn the_permits_are_complete_after_a_waiter_has_left() {
        bounded().check(|| {
            let semaphore = Arc::new(Semaphore::new());
            assert!(semaphore.try_acquire(1));
            let Acquired::Queued(waiter) =
                semaphore.acquire_or_queue(1, usize::MAX, Waker::noop().clone())
            else {
                panic!("no permit is free")
            };
            let leaving = {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || {
                    if !semaphore.leave_queue(waiter) {
                        release(&semaphore);
                    }
                })
            };
            let coming = {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || {
                    if semaphore.try_acquire(1) {
                        release(&semaphore);
                    }
                })
            };
            release(&semaphore);
            leaving.join().unwrap();
            coming.join().unwrap();
            assert_eq!((semaphore.running(), semaphore.waiting()), (0, 0));
            assert!(semaphore.try_acquire(1));
        });
    }
}
