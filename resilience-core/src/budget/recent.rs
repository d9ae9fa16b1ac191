//! The tokens that the calls of the last ten seconds earned.

use core::sync::atomic::Ordering::Relaxed;

use crate::sync::AtomicU64;

/// The number of seconds in view, the current second included.
const SECONDS: usize = if cfg!(resilience_loom) { 2 } else { 10 };

/// A slot per second: the second in the high half, thousandths of tokens in the low half.
///
/// The slots guard no other memory, so relaxed ordering is enough.
#[derive(Debug)]
pub(super) struct Recent([AtomicU64; SECONDS]);

impl Recent {
    #[cfg(not(resilience_loom))]
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SECONDS])
    }

    #[cfg(resilience_loom)]
    pub(super) fn new() -> Self {
        Self(core::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Adds the tokens of a call.
    pub(super) fn add(&self, second: u32, milli: u32) {
        let index = usize::try_from(second).unwrap_or(0) % SECONDS;
        let Some(slot) = self.0.get(index) else { return };
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
        let words = self.0.iter().map(|slot| slot.load(Relaxed)).filter(in_view);
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
}
