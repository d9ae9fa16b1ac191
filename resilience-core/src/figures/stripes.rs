//! Counters in stripes: two threads do not write to one cache line.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::cell::Cell;
use std::sync::OnceLock;

use super::table::Slot;

/// The number of stripes. Threads beyond this number share a stripe.
const STRIPES: usize = 16;

/// The number of counters in a stripe.
pub(crate) const SLOTS: usize = 32;

/// The counters of some threads. Two cache lines are fetched together, hence the alignment.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe([AtomicU64; SLOTS]);

/// Counters that only grow. A stripe is allocated at the first count of a thread.
#[derive(Debug)]
pub(crate) struct Stripes([OnceLock<Box<Stripe>>; STRIPES]);

impl Stripes {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; STRIPES])
    }

    /// Adds to the counter of this thread.
    #[inline]
    pub(crate) fn add(&self, slot: Slot, count: u64) {
        let index = index();
        let stripe = self
            .0
            .get(index)
            .and_then(OnceLock::get)
            .map_or_else(|| self.allocate(index), |stripe| &**stripe);
        if let Some(counter) = stripe.0.get(slot.index()) {
            counter.fetch_add(count, Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate(&self, index: usize) -> &Stripe {
        let [first, ..] = &self.0;
        let stripe = self.0.get(index).unwrap_or(first);
        stripe.get_or_init(|| Box::new(Stripe([const { AtomicU64::new(0) }; SLOTS])))
    }

    /// Returns the sum over all threads.
    pub(crate) fn total(&self, slot: Slot) -> u64 {
        let stripes = self.0.iter().filter_map(OnceLock::get);
        let counts = stripes.filter_map(|stripe| stripe.0.get(slot.index()));
        counts.fold(0, |sum, count| sum.wrapping_add(count.load(Relaxed)))
    }
}

/// Returns the stripe of this thread.
#[inline]
fn index() -> usize {
    thread_local! {
        /// The index plus one; 0 before the first count.
        static INDEX: Cell<usize> = const { Cell::new(0) };
    }
    // The thread may be ending, without thread-local values.
    INDEX.try_with(|index| index.get().checked_sub(1).unwrap_or_else(|| assign(index))).unwrap_or(0)
}

#[cold]
fn assign(index: &Cell<usize>) -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    let assigned = THREADS.fetch_add(1, Relaxed) % STRIPES;
    index.set(assigned + 1);
    assigned
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::figures::table::slot;

    #[test]
    fn the_counts_of_all_threads_add_up() {
        let stripes = Stripes::new();
        thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        stripes.add(slot::SUCCESS, 1);
                        stripes.add(slot::REJECTED, 2);
                    }
                });
            }
        });
        let calls = 1000 * 2 * STRIPES as u64;
        assert_eq!(stripes.total(slot::SUCCESS), calls);
        assert_eq!(stripes.total(slot::REJECTED), 2 * calls);
        assert_eq!(stripes.total(slot::FAILURE), 0);
    }
}
