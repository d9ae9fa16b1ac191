//! Where the next call goes in a window: one word that a success moves on without a lock, as long as
//! there is no failure in view.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::window::Span;
use crate::clock;
use crate::sync::{AtomicU64, const_fn};

/// The generation in the high half. In the low one, whether there are failures or slow calls in view,
/// whether the ring has been filled, and the position: of the next call in a ring, or behind the last in
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

const NOT_PLAIN: u64 = 1 << 31;
const FULL: u64 = 1 << 30;
const POSITION: u64 = FULL - 1;

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
        while word & NOT_PLAIN == 0 && word >> 32 == u64::from(generation) {
            match self.word.compare_exchange_weak(word, advanced(word, span), AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
        false
    }

    /// Takes a place for a call that is recorded under the lock. From here on others come to the lock
    /// as well, until [`set_not_plain`](Self::set_not_plain) says otherwise.
    pub(super) fn claim(&self, span: Span) -> u32 {
        let next = |word| Some(advanced(word, span) | NOT_PLAIN);
        let before = self.word.fetch_update(AcqRel, Acquire, next).unwrap_or_else(|word| word);
        low(before & POSITION)
    }

    /// Says whether there is anything but successes in view.
    pub(super) fn set_not_plain(&self, not_plain: bool) {
        if not_plain {
            self.word.fetch_or(NOT_PLAIN, AcqRel);
        } else {
            self.word.fetch_and(!NOT_PLAIN, AcqRel);
        }
    }

    /// Ends the bucket that is being filled; returns how many calls are in it.
    pub(super) fn end_bucket(&self, until: u64) -> u32 {
        let before = self.word.fetch_and(!(POSITION | FULL), AcqRel);
        self.until.store(until, Relaxed);
        low(before & POSITION)
    }

    /// How many calls are in the ring, or in the bucket that is being filled.
    pub(super) fn calls(&self, span: Span) -> u32 {
        let word = self.word.load(Acquire);
        match span {
            Span::Calls(size) if word & FULL != 0 => size,
            _ => low(word & POSITION),
        }
    }

    /// Starts anew, for another generation.
    pub(super) fn reset(&self, generation: u32) {
        self.until.store(0, Relaxed);
        self.word.store(u64::from(generation) << 32, core::sync::atomic::Ordering::Release);
    }

    /// Goes on with what is in view, for another generation.
    pub(super) fn retain(&self, generation: u32) {
        let next = |word: u64| Some(word & u64::from(u32::MAX) | u64::from(generation) << 32);
        let _ = self.word.fetch_update(AcqRel, Acquire, next);
    }
}

/// The word behind one more call.
#[inline]
fn advanced(word: u64, span: Span) -> u64 {
    match span {
        Span::Calls(size) if word & POSITION >= u64::from(size) - 1 => word & !POSITION | FULL,
        Span::Time { .. } if word & POSITION == POSITION => word,
        _ => word + 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what is left is 30 bits")]
const fn low(word: u64) -> u32 {
    word as u32
}
