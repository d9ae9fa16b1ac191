//! The position of the next call in a window: a word that a success advances without a lock, as
//! long as the window holds no failure.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::window::Span;
use crate::clock;
use crate::sync::{AtomicU64, const_fn};

/// The generation is in the high half. The low half holds two flags and a position. The flags tell
/// whether failures or slow calls are in view, and whether the ring is full. The position is that
/// of the next call in the ring, or the end of the current bucket.
///
/// While the window holds successes only, another success changes nothing but the number of calls.
#[derive(Debug)]
pub(super) struct Cursor {
    word: AtomicU64,
    /// The end of the current bucket, in the clock's nanoseconds.
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

    /// Counts a success, if no other state changes: no failure in view, the generation of the call
    /// is current, and the bucket has not ended.
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

    /// Takes a position for a call that is recorded under the lock. From here on all calls take
    /// the lock, until [`set_not_plain`](Self::set_not_plain) clears the flag.
    pub(super) fn claim(&self, span: Span) -> u32 {
        let next = |word| Some(advanced(word, span) | NOT_PLAIN);
        let before = self.word.fetch_update(AcqRel, Acquire, next).unwrap_or_else(|word| word);
        low(before & POSITION)
    }

    /// Sets whether the window holds failures or slow calls.
    pub(super) fn set_not_plain(&self, not_plain: bool) {
        if not_plain {
            self.word.fetch_or(NOT_PLAIN, AcqRel);
        } else {
            self.word.fetch_and(!NOT_PLAIN, AcqRel);
        }
    }

    /// Ends the current bucket. Returns the number of calls in the bucket.
    pub(super) fn end_bucket(&self, until: u64) -> u32 {
        let before = self.word.fetch_and(!(POSITION | FULL), AcqRel);
        self.until.store(until, Relaxed);
        low(before & POSITION)
    }

    /// Returns the number of calls in the ring, or in the current bucket.
    pub(super) fn calls(&self, span: Span) -> u32 {
        let word = self.word.load(Acquire);
        match span {
            Span::Calls(size) if word & FULL != 0 => size,
            _ => low(word & POSITION),
        }
    }

    /// Returns the position of the next call in the ring.
    pub(super) fn position(&self) -> u32 {
        low(self.word.load(Acquire) & POSITION)
    }

    /// Starts an empty window for another generation.
    pub(super) fn reset(&self, generation: u32) {
        self.until.store(0, Relaxed);
        self.word.store(u64::from(generation) << 32, core::sync::atomic::Ordering::Release);
    }

    /// Keeps the window for another generation.
    pub(super) fn retain(&self, generation: u32) {
        let next = |word: u64| Some(word & u64::from(u32::MAX) | u64::from(generation) << 32);
        let _ = self.word.fetch_update(AcqRel, Acquire, next);
    }
}

/// Returns the word after one more call.
#[inline]
fn advanced(word: u64, span: Span) -> u64 {
    match span {
        Span::Calls(size) if word & POSITION >= u64::from(size) - 1 => word & !POSITION | FULL,
        Span::Time { .. } if word & POSITION == POSITION => word,
        _ => word + 1,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low 30 bits are set")]
const fn low(word: u64) -> u32 {
    word as u32
}
