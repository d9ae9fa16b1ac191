//! The tokens that the calls of the last ten seconds earned.

use core::sync::atomic::Ordering::Relaxed;

use crate::sync::AtomicU64;

/// The number of seconds in view, the current second included.
const SECONDS: usize = if cfg!(resilience_loom) { 2 } else { 10 };

/// The number of calls whose tokens are added together. Only the last of these calls reads the
/// clock.
const BATCH: u64 = if cfg!(resilience_loom) { 2 } else { 16 };

/// The words guard no other memory, so relaxed ordering is enough.
#[derive(Debug)]
pub(super) struct Recent {
    /// A slot per second: the second in the high half, thousandths of tokens in the low half.
    slots: [AtomicU64; SECONDS],
    /// The calls whose tokens have not been added.
    waiting: AtomicU64,
}

impl Recent {
    #[cfg(not(resilience_loom))]
    pub(super) const fn new() -> Self {
        Self { slots: [const { AtomicU64::new(0) }; SECONDS], waiting: AtomicU64::new(0) }
    }

    #[cfg(resilience_loom)]
    pub(super) fn new() -> Self {
        let slots = core::array::from_fn(|_| AtomicU64::new(0));
        Self { slots, waiting: AtomicU64::new(0) }
    }

    /// Counts a call. Returns whether the tokens of the counted calls are due.
    #[inline]
    pub(super) fn count_call(&self) -> bool {
        self.waiting.fetch_add(1, Relaxed).wrapping_add(1) >= BATCH
    }

    /// Returns the number of calls since the last batch, for the caller to add their tokens.
    pub(super) fn take_calls(&self) -> u32 {
        if self.waiting.load(Relaxed) == 0 {
            return 0;
        }
        u32::try_from(self.waiting.swap(0, Relaxed)).unwrap_or(u32::MAX)
    }

    /// Adds the tokens of calls.
    pub(super) fn add(&self, second: u32, milli: u32) {
        let index = usize::try_from(second).unwrap_or(0) % SECONDS;
        let Some(slot) = self.slots.get(index) else { return };
        let add = |word| {
            let before = if second_of(word) == second { milli_of(word) } else { 0 };
            Some(u64::from(second) << 32 | u64::from(before.saturating_add(milli)))
        };
        let _ = slot.fetch_update(Relaxed, Relaxed, add);
    }

    /// Returns the tokens of all calls in view.
    pub(super) fn sum(&self, second: u32) -> u32 {
        let in_view = |word: &u64| {
            usize::try_from(second.wrapping_sub(second_of(*word))).is_ok_and(|age| age < SECONDS)
        };
        let words = self.slots.iter().map(|slot| slot.load(Relaxed)).filter(in_view);
        words.fold(0, |sum: u32, word| sum.saturating_add(milli_of(word)))
    }
}

const fn second_of(word: u64) -> u32 {
    (word >> 32) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "only a half is wanted")]
const fn milli_of(word: u64) -> u32 {
    word as u32
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// Two threads start a new second in the slot of an old second.
    #[test]
    fn no_token_is_lost_at_the_start_of_a_second() {
        loom::model(|| {
            let recent = Arc::new(Recent::new());
            recent.add(1, 100);
            let other = {
                let recent = Arc::clone(&recent);
                thread::spawn(move || recent.add(3, 10))
            };
            recent.add(3, 1);
            recent.add(4, 1000);
            other.join().unwrap();
            assert_eq!((recent.sum(4), recent.sum(5)), (1011, 1000));
        });
    }

    /// Two threads end a batch at the same time.
    #[test]
    fn each_call_is_in_one_batch() {
        loom::model(|| {
            let recent = Arc::new(Recent::new());
            let count = |recent: &Recent| {
                let is_due = [recent.count_call(), recent.count_call()].contains(&true);
                if is_due { recent.take_calls() } else { 0 }
            };
            let other = {
                let recent = Arc::clone(&recent);
                thread::spawn(move || count(&recent))
            };
            let own = count(&recent);
            let batches = own + other.join().unwrap();
            assert!(batches >= 2, "{batches}");
            assert_eq!(batches + recent.take_calls(), 4);
        });
    }
}
