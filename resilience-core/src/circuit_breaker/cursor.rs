//! The successes that a window counts without a lock.
//!
//! Under the lock a window grants the number of successes that change nothing but the number of
//! calls. Each such success takes one from the grant, by a single compare-and-swap. Once the grant
//! is used up, the next success takes the lock. The word holds the whole grant, so a
//! compare-and-swap that succeeds is right whatever happened before.

use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use crate::clock::Timestamp;
use crate::sync::{AtomicU64, const_fn};

#[derive(Debug)]
pub(super) struct Cursor {
    /// The generation in the high half, the rest of the grant in the low half.
    word: AtomicU64,
    /// In a window of time: the end of the current bucket, in the clock's nanoseconds.
    until: AtomicU64,
}

const GENERATION_SHIFT: u32 = 32;

impl Cursor {
    const_fn! {
        pub(super) fn new() -> Self {
            Self { word: AtomicU64::new(0), until: AtomicU64::new(0) }
        }
    }

    /// Counts a success in a window of calls, if no other state changes: the grant is not used up,
    /// and the generation of the call is current.
    #[inline]
    pub(super) fn succeed(&self, generation: u32) -> bool {
        let mut word = self.word.load(Relaxed);
        while word >> GENERATION_SHIFT == u64::from(generation) && low(word) > 0 {
            match self.word.compare_exchange_weak(word, word - 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(other) => word = other,
            }
        }
        false
    }

    /// Counts a success in a window of time, if the bucket has not ended either.
    #[inline]
    pub(super) fn succeed_in_period(&self, generation: u32, now: Timestamp) -> bool {
        self.is_in_bucket(now) && self.succeed(generation)
    }

    /// Returns whether the current bucket of a window of time has not ended.
    #[inline]
    pub(super) fn is_in_bucket(&self, now: Timestamp) -> bool {
        now.word() < self.until.load(Acquire)
    }

    /// Takes back the grant, and returns the rest. Until the next grant every success takes the
    /// lock.
    pub(super) fn take_back(&self) -> u32 {
        low(self.word.fetch_and(u64::from(u32::MAX) << GENERATION_SHIFT, AcqRel))
    }

    /// Grants a number of successes, after the grant before was taken back.
    pub(super) fn grant(&self, successes: u32) {
        self.word.fetch_or(u64::from(successes), AcqRel);
    }

    /// Returns the rest of the grant.
    pub(super) fn rest(&self) -> u32 {
        low(self.word.load(Acquire))
    }

    /// Sets the end of the current bucket.
    pub(super) fn end_bucket_at(&self, until: u64) {
        self.until.store(until, Release);
    }

    /// Starts an empty window for another generation, without a grant.
    pub(super) fn reset(&self, generation: u32) {
        self.until.store(0, Relaxed);
        self.word.store(u64::from(generation) << GENERATION_SHIFT, Release);
    }

    /// Keeps the window for another generation.
    pub(super) fn retain(&self, generation: u32) {
        let next = |word| Some(u64::from(low(word)) | u64::from(generation) << GENERATION_SHIFT);
        let _ = self.word.fetch_update(AcqRel, Acquire, next);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "only the low half is wanted")]
const fn low(word: u64) -> u32 {
    word as u32
}
