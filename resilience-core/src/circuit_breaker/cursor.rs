//! Where the next call goes in a window: one word that a success moves on without a lock, as long as
//! there is no failure in view.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::window::Span;
use crate::clock;
use crate::sync::{AtomicU64, const_fn};

/// The generation in the high half. In the low one, whether there are failures or slow calls in view,
/// whether the ring has been filled, and the place: of the next call in a ring, or behind the last in
/// the bucket that is being filled.
///
/// While nothing but successes is in view, another one changes nothing that a decision could depend
/// on but how many they are.
#[derive(Debug)]
pub(super) struct Cursor {
    word: AtomicU64,
    /// When the bucket that is being filled ends, in the clock's nanoseconds.
    until: AtomicU64,
}

const MIXED: u64 = 1 << 31;
const FULL: u64 = 1 << 30;
const PLACE: u64 = FULL - 1;

impl Cursor {
    const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicU64::new(0), until: AtomicU64::new(0) }
        }
    }

    /// Counts a success, where that is all there is to do: no failure in view, the generation still
    /// that of the call, and the bucket not over.
    #[inline]
    pub(super) fn succeed(&self, generation: u32, span: Span) -> bool {
        if matches!(span, Span::Time { .. }) && clock::now().word() >= self.until.load(Acquire) {
            return false;
        }
        let mut word = self.word.load(Relaxed);
        while word & MIXED == 0 && word >> 32 == u64::from(generation) {
            match self.word.compare_exchange_weak(word, moved_on(word, span), AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
        false
    }

    /// Takes a place for a call that is recorded under the lock. From here on others come to the lock
    /// as well, until [`mix`](Self::mix) says otherwise.
    pub(super) fn claim(&self, span: Span) -> u32 {
        let next = |word| Some(moved_on(word, span) | MIXED);
        let before = self.word.fetch_update(AcqRel, Acquire, next).unwrap_or_else(|word| word);
        low(before & PLACE)
    }

    /// Says whether there is anything but successes in view.
    pub(super) fn mix(&self, mixed: bool) {
        if mixed {
            self.word.fetch_or(MIXED, AcqRel);
        } else {
            self.word.fetch_and(!MIXED, AcqRel);
        }
    }

    /// Ends the bucket that is being filled; returns how many calls are in it.
    pub(super) fn turn(&self, until: u64) -> u32 {
        let before = self.word.fetch_and(!(PLACE | FULL), AcqRel);
        self.until.store(until, Relaxed);
        low(before & PLACE)
    }

    /// How many calls are in the ring, or in the bucket that is being filled.
    pub(super) fn calls(&self, span: Span) -> u32 {
        let word = self.word.load(Acquire);
        match span {
            Span::Calls(size) if word & FULL != 0 => size,
            _ => low(word & PLACE),
        }
    }

    /// Starts anew, for another generation.
    pub(super) fn reset(&self, generation: u32) {
        self.until.store(0, Relaxed);
        self.word.store(u64::from(generation) << 32, core::sync::atomic::Ordering::Release);
    }

    /// Goes on with what is in view, for another generation.
    pub(super) fn keep(&self, generation: u32) {
        let next = |word: u64| Some(word & u64::from(u32::MAX) | u64::from(generation) << 32);
        let _ = self.word.fetch_update(AcqRel, Acquire, next);
    }
}

/// The word behind one more call.
#[inline]
fn moved_on(word: u64, span: Span) -> u64 {
    match span {
        Span::Calls(size) if word & PLACE >= u64::from(size) - 1 => word & !PLACE | FULL,
        Span::Time { .. } if word & PLACE == PLACE => word,
        _ => word + 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what is left is 30 bits")]
const fn low(word: u64) -> u32 {
    word as u32
}
