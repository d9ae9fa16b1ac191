//! The clock of a limiter that uses a share of a rate.
//!
//! The clock runs at the speed of the share: half the rate is the whole rate by a clock at half
//! speed. So the limiter needs no other change, and a new share moves no turn: the state of the
//! limiter is in the time of this clock.
//!
//! The terms of the share are six words under a sequence lock: a reader takes no lock, except while
//! the terms change.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::sync::{AtomicU64, Mutex, fence, lock};

/// A share of one: the whole rate. Shares are multiples of 2⁻³².
pub(super) const WHOLE: u64 = 1 << 32;

#[derive(Debug)]
pub(super) struct ShareClock {
    /// Odd while the words change.
    sequence: AtomicU64,
    words: [AtomicU64; 6],
    writer: Mutex<()>,
}

/// A share for some time, and the share afterwards. Times are those of the real clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// The time from which the terms apply.
    pub(super) start: u64,
    /// The reading of the clock at the start.
    pub(super) reading: u64,
    /// The share until the end.
    pub(super) share: u64,
    pub(super) end: u64,
    /// The share after the end. Readers apply the end by themselves: a task may be late.
    pub(super) afterwards: u64,
    /// The share of the burst.
    pub(super) burst_share: u64,
}

impl Terms {
    fn words(self) -> [u64; 6] {
        let Self { start, reading, share, end, afterwards, burst_share } = self;
        [start, reading, share, end, afterwards, burst_share]
    }

    fn of([start, reading, share, end, afterwards, burst_share]: [u64; 6]) -> Self {
        Self { start, reading, share, end, afterwards, burst_share }
    }

    /// Returns the reading of the clock.
    pub(super) fn at(self, real: u64) -> u64 {
        let end = self.end.max(self.start);
        let held = part(real.min(end).saturating_sub(self.start), self.share);
        let after = part(real.saturating_sub(end), self.afterwards);
        self.reading.saturating_add(held).saturating_add(after)
    }

    /// Returns the first time at which the clock shows a reading, or [`u64::MAX`].
    pub(super) fn time_of(self, reading: u64) -> u64 {
        let ahead = reading.saturating_sub(self.reading);
        let end = self.end.max(self.start);
        let held = part(end - self.start, self.share);
        let (from, ahead, share) = match ahead.checked_sub(held) {
            None | Some(0) => (self.start, ahead, self.share),
            Some(after) => (end, after, self.afterwards),
        };
        match (ahead, share) {
            (0, _) => from,
            (_, 0) => u64::MAX,
            _ => {
                let real = (u128::from(ahead) << 32).div_ceil(u128::from(share));
                from.saturating_add(u64::try_from(real).unwrap_or(u64::MAX))
            }
        }
    }

    /// Returns the share of the burst that a width is.
    pub(super) fn burst_part(self, width: u64) -> u64 {
        part(width, self.burst_share)
    }
}

/// Returns a share of a time, rounded down.
fn part(time: u64, share: u64) -> u64 {
    u64::try_from((u128::from(time) * u128::from(share)) >> 32).unwrap_or(u64::MAX)
}

impl ShareClock {
    pub(super) fn new(terms: Terms) -> Self {
        let words = terms.words().map(AtomicU64::new);
        Self { sequence: AtomicU64::new(0), words, writer: Mutex::new(()) }
    }

    /// Returns the terms.
    #[inline]
    pub(super) fn terms(&self) -> Terms {
        let before = self.sequence.load(Acquire);
        let terms = self.read();
        fence(Acquire);
        if before % 2 == 0 && self.sequence.load(Relaxed) == before {
            return terms;
        }
        self.terms_after_a_change()
    }

    #[cold]
    fn terms_after_a_change(&self) -> Terms {
        let _changed = lock(&self.writer);
        self.read()
    }

    fn read(&self) -> Terms {
        Terms::of(self.words.each_ref().map(|word| word.load(Relaxed)))
    }

    /// Replaces the terms.
    pub(super) fn set(&self, terms: Terms) {
        let _changing = lock(&self.writer);
        let sequence = self.sequence.load(Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Relaxed);
        fence(Release);
        for (word, value) in self.words.iter().zip(terms.words()) {
            word.store(value, Relaxed);
        }
        self.sequence.store(sequence.wrapping_add(2), Release);
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Checks random terms, and a time after their start.
    fn check(holds: impl Fn(Terms, u64)) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        for _ in 0..100_000 {
            let mut time = || {
                let bits = random.random_range(1..62);
                random.random_range(0..1_u64 << bits)
            };
            let (start, reading, end, by) = (time(), time(), time(), time());
            let mut share = || match random.random_range(0..5) {
                0 => 0,
                1 => 1,
                2 => WHOLE,
                _ => random.random_range(0..=WHOLE),
            };
            let (held, afterwards, burst) = (share(), share(), share());
            holds(Terms::of([start, reading, held, end, afterwards, burst]), by);
        }
    }

    #[test]
    fn the_time_of_a_reading_is_the_first_such_time() {
        check(|terms, ahead| {
            let reading = terms.reading.saturating_add(ahead);
            let time = terms.time_of(reading);
            if time != u64::MAX {
                assert!(terms.at(time) >= reading, "{terms:?} {time}");
            }
            if time > terms.start {
                assert!(terms.at(time - 1) < reading, "{terms:?} {time}");
            }
        });
    }

    #[test]
    fn the_clock_is_never_faster_than_the_larger_share() {
        check(|terms, by| {
            let passed = terms.at(terms.start + by) - terms.reading;
            assert!(passed <= part(by, terms.share.max(terms.afterwards)), "{terms:?} {by}");
        });
    }

    #[test]
    fn the_share_changes_at_the_end_of_the_terms() {
        let terms = Terms {
            start: 100,
            reading: 1000,
            share: WHOLE / 2,
            end: 200,
            afterwards: WHOLE / 8,
            burst_share: WHOLE,
        };
        assert_eq!((terms.at(0), terms.at(100), terms.at(200)), (1000, 1000, 1050));
        assert_eq!(terms.at(300), 1062);
        assert_eq!(
            (terms.time_of(1000), terms.time_of(1050), terms.time_of(1062)),
            (100, 200, 296)
        );
        let stopped = Terms { afterwards: 0, ..terms };
        assert_eq!((stopped.at(u64::MAX), stopped.time_of(1051)), (1050, u64::MAX));
    }
}

#[cfg(all(test, resilience_loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    #[test]
    fn a_reader_sees_the_terms_before_or_after_a_change() {
        // Up to two preemptions: all interleavings of the six words would take too long.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let all = |word| Terms::of([word; 6]);
            let clock = Arc::new(ShareClock::new(all(1)));
            let writer = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.set(all(2)))
            };
            let seen = clock.terms();
            assert!(seen == all(1) || seen == all(2), "{seen:?}");
            writer.join().unwrap();
            assert_eq!(clock.terms(), all(2));
        });
    }
}
