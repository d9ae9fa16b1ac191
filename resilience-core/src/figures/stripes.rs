//! Counters in stripes: two threads do not write to one cache line.
//!
//! A thread that counts owns a stripe of its own in every [`Stripes`], and writes without a locked
//! instruction. Threads beyond the number of stripes share one, by atomic additions.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use core::sync::atomic::{AtomicU64, AtomicUsize};
use std::cell::Cell;
use std::sync::OnceLock;

use super::numbers;
use super::table::Slot;

/// The number of stripes with one owner.
const OWNED: usize = 16;

/// The index of the stripe that the other threads share. The stripes with an owner come first,
/// from 1 on. There is no stripe 0: the index of a thread that has not counted yet.
const SHARED: usize = OWNED + 1;

/// The number of counters in a stripe.
pub(crate) const SLOTS: usize = 32;

/// The counters of some threads. Two cache lines are fetched together, hence the alignment.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Stripe([AtomicU64; SLOTS]);

impl Stripe {
    /// Adds to a counter that no other thread writes.
    #[inline]
    pub(super) fn add_alone(&self, slot: Slot, count: u64) {
        if let Some(counter) = self.0.get(slot.index()) {
            counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
        }
    }

    /// Adds to a counter that several threads write.
    #[inline]
    fn add_shared(&self, slot: Slot, count: u64) {
        if let Some(counter) = self.0.get(slot.index()) {
            counter.fetch_add(count, Relaxed);
        }
    }
}

/// The counters of this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters<'s> {
    stripe: &'s Stripe,
    is_shared: bool,
}

impl Counters<'_> {
    /// Adds to a counter.
    #[inline]
    pub(crate) fn add(self, slot: Slot, count: u64) {
        if self.is_shared {
            self.stripe.add_shared(slot, count);
        } else {
            self.stripe.add_alone(slot, count);
        }
    }
}

/// Counters that only grow. A stripe is allocated at the first count of a thread.
#[derive(Debug)]
pub(crate) struct Stripes([OnceLock<Box<Stripe>>; SHARED + 1]);

impl Stripes {
    pub(crate) const fn new() -> Self {
        Self([const { OnceLock::new() }; SHARED + 1])
    }

    /// Returns the counters of this thread. Not for another thread: a value that travels would
    /// write to the stripe of this thread.
    #[inline]
    pub(crate) fn own(&self) -> Counters<'_> {
        self.known().unwrap_or_else(|| self.allocate())
    }

    /// Returns the counters of this thread, if the thread has counted here before.
    #[inline]
    pub(crate) fn known(&self) -> Option<Counters<'_>> {
        let index = index();
        let stripe = self.0.get(index)?.get()?;
        Some(Counters { stripe, is_shared: index == SHARED })
    }

    /// Returns the stripe that this thread owns; `None` if the thread shares one.
    pub(super) fn owned(&self) -> Option<&Stripe> {
        let Counters { stripe, is_shared } = self.own();
        (!is_shared).then_some(stripe)
    }

    #[cold]
    #[inline(never)]
    fn allocate(&self) -> Counters<'_> {
        let index = assigned();
        let [.., shared] = &self.0;
        let stripe = self.0.get(index).unwrap_or(shared);
        let new = || Box::new(Stripe([const { AtomicU64::new(0) }; SLOTS]));
        Counters { stripe: stripe.get_or_init(new), is_shared: index == SHARED }
    }

    /// Returns the sum over all threads.
    pub(crate) fn total(&self, slot: Slot) -> u64 {
        let stripes = self.0.iter().filter_map(OnceLock::get);
        let counts = stripes.filter_map(|stripe| stripe.0.get(slot.index()));
        counts.fold(0, |sum, count| sum.wrapping_add(count.load(Relaxed)))
    }
}

thread_local! {
    /// The stripe of this thread; 0 before the first count.
    static INDEX: Cell<usize> = const { Cell::new(0) };
    /// Returns the stripe at the end of the thread.
    static OWNER: Cell<Option<Owner>> = const { Cell::new(None) };
}

/// A bit for each stripe with an owner.
static OWNERS: AtomicUsize = AtomicUsize::new(0);

/// The ownership of a stripe.
struct Owner(usize);

impl Drop for Owner {
    fn drop(&mut self) {
        // Later counts of this thread are shared. The next owner sees all counts of this thread.
        let _ = INDEX.try_with(|index| index.set(SHARED));
        numbers::forget_own();
        give_back(&OWNERS, self.0);
    }
}

/// Takes a stripe without an owner.
fn take(owners: &AtomicUsize) -> Option<usize> {
    let free = |owners: usize| (1..=OWNED).find(|stripe| owners & 1 << stripe == 0);
    let taken = owners.fetch_update(AcqRel, Acquire, |owners| Some(owners | 1 << free(owners)?));
    taken.ok().and_then(free)
}

fn give_back(owners: &AtomicUsize, stripe: usize) {
    owners.fetch_and(!(1 << stripe), AcqRel);
}

/// Returns the stripe of this thread; 0 before the first count.
#[inline]
fn index() -> usize {
    // The thread may be ending, without thread-local values.
    INDEX.try_with(Cell::get).unwrap_or(SHARED)
}

/// Returns whether this thread shares a stripe, for good.
pub(super) fn is_shared() -> bool {
    index() == SHARED
}

/// Returns the stripe of this thread. The first count assigns a stripe.
fn assigned() -> usize {
    let index = index();
    if index > 0 {
        return index;
    }
    let owned = take(&OWNERS).map(Owner);
    let stripe = owned.as_ref().map_or(SHARED, |owner| owner.0);
    let _ = INDEX.try_with(|index| index.set(stripe));
    // At the end of the thread the owner is dropped at once, and the stripe is the shared one.
    match OWNER.try_with(|owner| owner.set(owned)) {
        Ok(()) => stripe,
        Err(_) => SHARED,
    }
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
            for _ in 0..2 * OWNED {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        stripes.own().add(slot::SUCCESS, 1);
                        stripes.own().add(slot::REJECTED, 2);
                    }
                });
            }
        });
        let calls = 1000 * 2 * OWNED as u64;
        assert_eq!(stripes.total(slot::SUCCESS), calls);
        assert_eq!(stripes.total(slot::REJECTED), 2 * calls);
        assert_eq!(stripes.total(slot::FAILURE), 0);
    }

    #[test]
    fn a_stripe_has_one_owner_at_a_time() {
        let owners = AtomicUsize::new(0);
        let taken: Vec<_> = (1..=OWNED).filter_map(|_| take(&owners)).collect();
        assert_eq!(taken, (1..=OWNED).collect::<Vec<_>>());
        assert!(!taken.contains(&SHARED));
        assert_eq!(take(&owners), None);
        give_back(&owners, 3);
        assert_eq!((take(&owners), take(&owners)), (Some(3), None));
    }

    #[test]
    fn threads_one_after_another_continue_the_counts_of_a_stripe() {
        let stripes = Stripes::new();
        for thread in 1..=4 * OWNED as u64 {
            thread::scope(|scope| scope.spawn(|| stripes.own().add(slot::SUCCESS, 1)).join())
                .expect("no panic");
            assert_eq!(stripes.total(slot::SUCCESS), thread);
        }
    }
}
