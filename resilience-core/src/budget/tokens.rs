//! A token counter in one atomic word: never overspent, never above the capacity.

use core::sync::atomic::Ordering::Relaxed;

use crate::sync::{AtomicU64, const_fn};

/// Thousandths of tokens in the high half, the millisecond of the last refill in the low half.
///
/// The word guards no other memory, so relaxed ordering is enough.
#[derive(Debug)]
pub(super) struct Tokens(AtomicU64);

/// The word, unpacked.
#[derive(Clone, Copy)]
struct Count {
    milli: u32,
    /// Zero before the first refill.
    refilled: u32,
}

impl Count {
    const fn pack(self) -> u64 {
        (self.milli as u64) << 32 | self.refilled as u64
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the halves are wanted")]
    const fn unpack(word: u64) -> Self {
        Self { milli: (word >> 32) as u32, refilled: word as u32 }
    }
}

/// A clock that seems to have gone back by up to an hour has done so: the milliseconds wrap after
/// 49 days, and a budget may be at rest for long.
const LONGEST_WAY_BACK: u32 = 3_600_000;

impl Tokens {
    const_fn! {
        pub(super) fn new(milli: u32) -> Self {
            Self(AtomicU64::new(Count { milli, refilled: 0 }.pack()))
        }
    }

    #[inline]
    pub(super) fn left(&self) -> u32 {
        Count::unpack(self.0.load(Relaxed)).milli
    }

    /// Adds tokens, up to the capacity. A full bucket is only read.
    #[inline]
    pub(super) fn add(&self, milli: u32, capacity: u32) {
        if self.left() != capacity && milli > 0 {
            self.add_below(milli, capacity);
        }
    }

    #[inline(never)]
    fn add_below(&self, milli: u32, capacity: u32) {
        self.update(|count| {
            let full = count.milli.saturating_add(milli).min(capacity);
            (full != count.milli).then_some(Count { milli: full, ..count })
        });
    }

    /// Takes all `milli` tokens, or no token.
    pub(super) fn take(&self, milli: u32) -> bool {
        self.update(|count| Some(Count { milli: count.milli.checked_sub(milli)?, ..count }))
    }

    /// Adds the tokens earned since the last refill.
    pub(super) fn refill(&self, now: u32, milli_per_second: u32, capacity: u32) {
        let now = now.max(1);
        self.update(|count| {
            let since = now.wrapping_sub(count.refilled);
            // At the first refill, and after the clock went back, no time has passed.
            let went_back = since > u32::MAX - LONGEST_WAY_BACK;
            let since = if count.refilled == 0 || went_back { 0 } else { since };
            let earned = u64::from(since) * u64::from(milli_per_second) / 1000;
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            let milli = count.milli.saturating_add(earned).min(capacity);
            (now != count.refilled).then_some(Count { milli, refilled: now })
        });
    }

    /// Replaces the count with the result of `next`. Keeps the count if `next` returns `None`.
    fn update(&self, next: impl Fn(Count) -> Option<Count>) -> bool {
        let next = |word| next(Count::unpack(word)).map(Count::pack);
        self.0.fetch_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    /// Checks every interleaving of threads that take, return and earn tokens.
    #[test]
    fn tokens_are_never_overspent_or_lost() {
        loom::model(|| {
            let tokens = Arc::new(Tokens::new(2));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let tokens = Arc::clone(&tokens);
                    thread::spawn(move || {
                        let taken = u32::from(tokens.take(1)) + u32::from(tokens.take(1));
                        if taken == 2 {
                            // Return a token.
                            tokens.add(1, 2);
                        }
                        taken.min(1)
                    })
                })
                .collect();
            let kept: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
            assert!(kept <= 2);
            assert_eq!(tokens.left(), 2 - kept);
        });
    }

    #[test]
    fn a_refill_counts_once() {
        loom::model(|| {
            let tokens = Arc::new(Tokens::new(0));
            tokens.refill(1, 1000, 100);
            let refill = {
                let tokens = Arc::clone(&tokens);
                move || tokens.refill(6, 1000, 100)
            };
            let other = thread::spawn(refill.clone());
            refill();
            other.join().unwrap();
            assert_eq!(tokens.left(), 5);
        });
    }
}
