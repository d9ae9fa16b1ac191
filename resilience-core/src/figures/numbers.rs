//! The numbers of policies in a `static`: a thread finds its counters of a policy by the number, in
//! an array of its own.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use super::stripes::{Stripe, Stripes, is_shared};
use super::table::Slot;

/// The number of a policy; 0 without a number. Dropped policies have no number, so a number belongs
/// to one policy for the life of the process.
#[derive(Debug)]
pub(crate) struct Number(AtomicU8);

/// The counters of the policies, by number.
static NUMBERED: Mutex<Vec<&'static Stripes>> = Mutex::new(Vec::new());

thread_local! {
    /// The counters of this thread, by the number of the policy. Without a destructor, so that an
    /// access needs no test.
    static OWN: [Cell<Option<&'static Stripe>>; 256] = const { [const { Cell::new(None) }; 256] };
}

/// Returns the cell of this thread for a number.
#[inline]
fn with_own<T>(number: u8, read: impl FnOnce(&Cell<Option<&'static Stripe>>) -> T) -> Option<T> {
    OWN.with(|own| own.get(usize::from(number)).map(read))
}

impl Number {
    pub(crate) const fn none() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Gives a number to the policy with these counters, unless the policy has one, or all numbers
    /// are given. A thread finds the counters of a policy without a number by a search.
    pub(crate) fn assign(&self, stripes: &'static Stripes) {
        let mut numbered = NUMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.load(Relaxed) == 0 {
            self.0.store(next(&mut numbered, stripes), Relaxed);
        }
    }

    /// Adds one to a counter of this thread. Returns `false` and counts nothing if the thread does
    /// not know its counters.
    #[inline]
    pub(crate) fn count(&self, slot: Slot) -> bool {
        let own = with_own(self.0.load(Relaxed), Cell::get).flatten();
        own.is_some_and(|stripe| {
            stripe.add_alone(slot, 1);
            true
        })
    }

    /// Keeps the counters of this thread for the next calls, if the thread owns them.
    #[cold]
    pub(crate) fn keep_own(&self) {
        let number = self.0.load(Relaxed);
        let Some(position) = usize::from(number).checked_sub(1) else { return };
        if is_shared() {
            return;
        }
        let numbered = NUMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        let stripes = numbered.get(position).copied();
        drop(numbered);
        let own = stripes.and_then(Stripes::owned);
        with_own(number, |kept| kept.set(own));
    }
}

/// Returns the next number, and 0 if there is none.
fn next(numbered: &mut Vec<&'static Stripes>, stripes: &'static Stripes) -> u8 {
    let number = u8::try_from(numbered.len() + 1).unwrap_or(0);
    if number > 0 {
        numbered.push(stripes);
    }
    number
}

/// Forgets the counters of this thread, whose next owner is another thread.
pub(super) fn forget_own() {
    OWN.with(|own| own.iter().for_each(|kept| kept.set(None)));
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use std::thread;

    use super::*;
    use crate::figures::table::slot;

    /// Counts as a call does, and returns whether the thread knew its counters.
    fn count(number: &Number, stripes: &Stripes) -> bool {
        let is_known = number.count(slot::SUCCESS);
        if !is_known {
            number.keep_own();
            stripes.own().add(slot::SUCCESS, 1);
        }
        is_known
    }

    fn leaked() -> &'static Stripes {
        Box::leak(Box::new(Stripes::new()))
    }

    fn numbered() -> (Number, &'static Stripes) {
        let (number, stripes) = (Number::none(), leaked());
        number.assign(stripes);
        (number, stripes)
    }

    /// Runs `test` in a thread that owns a stripe. All stripes have an owner for a moment while
    /// other tests count in many threads.
    fn in_owner<T: Send>(test: impl Fn() -> T + Sync) -> T {
        let attempt = || {
            leaked().own();
            (!is_shared()).then(&test)
        };
        let run = |_| thread::scope(|scope| scope.spawn(attempt).join().expect("no panic"));
        (0..10_000).find_map(run).expect("a stripe without an owner")
    }

    #[test]
    fn a_thread_knows_its_counters_after_the_first_count() {
        let (number, stripes) = numbered();
        for _ in 0..2 {
            let counted = in_owner(|| [(); 3].map(|()| count(&number, stripes)));
            assert_eq!(counted, [false, true, true]);
        }
        assert_eq!(stripes.total(slot::SUCCESS), 6);
    }

    #[test]
    fn a_thread_knows_its_counters_also_after_a_count_without_the_number() {
        let counted = in_owner(|| {
            let (number, stripes) = numbered();
            stripes.own().add(slot::SUCCESS, 1);
            [(); 2].map(|()| count(&number, stripes))
        });
        assert_eq!(counted, [false, true]);
    }

    #[test]
    fn a_thread_knows_its_counters_of_all_policies() {
        let counted = in_owner(|| {
            let policies = [numbered(), numbered()];
            [0, 1, 0, 1].map(|policy| count(&policies[policy].0, policies[policy].1))
        });
        assert_eq!(counted, [false, false, true, true]);
    }

    #[test]
    fn policies_without_a_number_are_never_known() {
        let (number, stripes) = (Number::none(), Stripes::new());
        assert_eq!([(); 2].map(|()| count(&number, &stripes)), [false; 2]);
        let mut all = Vec::new();
        let numbers: Vec<_> = (0..300).map(|_| next(&mut all, leaked())).collect();
        assert_eq!(numbers.iter().position(|number| *number == 0), Some(255));
        assert!(numbers.iter().skip(255).all(|number| *number == 0));
        assert_eq!(all.len(), 255);
    }

    /// A thread-local value that counts when the thread ends.
    struct AtEnd(Number, &'static Stripes, &'static AtomicU8);

    impl Drop for AtEnd {
        fn drop(&mut self) {
            self.2.store(1 + u8::from(count(&self.0, self.1)), Relaxed);
        }
    }

    thread_local!(static AT_END: Cell<Option<AtEnd>> = const { Cell::new(None) });

    #[test]
    fn a_count_at_the_end_of_a_thread_shares_a_stripe() {
        static SEEN: AtomicU8 = AtomicU8::new(0);
        let (number, stripes) = numbered();
        let same = Number(AtomicU8::new(number.0.load(Relaxed)));
        // Values are dropped in the reverse order, so the stripe is given back before.
        let counted = thread::spawn(move || {
            AT_END.set(Some(AtEnd(same, stripes, &SEEN)));
            [(); 2].map(|()| count(&number, stripes))
        });
        assert_eq!(counted.join().expect("no panic"), [false, true]);
        assert_eq!((SEEN.load(Relaxed), stripes.total(slot::SUCCESS)), (1, 3));
    }
}
