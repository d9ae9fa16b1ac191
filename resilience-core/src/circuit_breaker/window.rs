//! The last outcomes: of a number of calls, or of a length of time.

use core::time::Duration;

use crate::clock::{Moment, nanos};

/// What a breaker looks back upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Nothing but the run of consecutive failures.
    None,
    /// The last calls.
    Calls(u32),
    /// The last period, in so many buckets.
    Time { length: Duration, buckets: u32 },
}

/// How many calls of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u32,
    pub(super) failures: u32,
    pub(super) slow: u32,
}

/// One call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

impl Record {
    const fn bits(self) -> u64 {
        self.failed as u64 | (self.slow as u64) << 1
    }

    const fn from_bits(bits: u64) -> Self {
        Self { failed: bits & 1 != 0, slow: bits & 2 != 0 }
    }
}

impl Counts {
    fn add(&mut self, record: Record) {
        self.calls = self.calls.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(record.failed));
        self.slow = self.slow.saturating_add(u32::from(record.slow));
    }

    fn take(&mut self, gone: Self) {
        self.calls = self.calls.saturating_sub(gone.calls);
        self.failures = self.failures.saturating_sub(gone.failures);
        self.slow = self.slow.saturating_sub(gone.slow);
    }
}

/// The outcomes in view, with their sum kept up to date.
#[derive(Debug)]
pub(super) struct Window {
    total: Counts,
    /// Two bits for each call, 32 calls in a word; made when the first call is recorded.
    ring: Vec<u64>,
    /// Where the next call goes.
    next: u32,
    buckets: Vec<Counts>,
    /// The number of the bucket that is being filled, counted from the first.
    current: u64,
    /// When the first bucket began.
    begun: Option<Moment>,
}

impl Window {
    pub(super) const fn new() -> Self {
        Self {
            total: Counts { calls: 0, failures: 0, slow: 0 },
            ring: Vec::new(),
            next: 0,
            buckets: Vec::new(),
            current: 0,
            begun: None,
        }
    }

    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.total = Counts::default();
        self.next = 0;
        self.buckets.fill(Counts::default());
        self.current = 0;
        self.begun = None;
    }

    /// The sum of what is in view at `now`, which only a window of time needs to know.
    pub(super) fn counts(&mut self, span: Span, now: impl FnOnce() -> Moment) -> Counts {
        if let Span::Time { length, buckets } = span {
            if self.total.calls > 0 {
                self.slide(now(), length, buckets);
            }
        }
        self.total
    }

    pub(super) fn record(&mut self, span: Span, now: impl FnOnce() -> Moment, record: Record) {
        match span {
            Span::None => return,
            Span::Calls(size) => self.replace(size.max(1), record),
            Span::Time { length, buckets } => {
                self.slide(now(), length, buckets);
                let index = self.current % self.buckets.len().max(1) as u64;
                if let Some(bucket) =
                    usize::try_from(index).ok().and_then(|i| self.buckets.get_mut(i))
                {
                    bucket.add(record);
                }
            }
        }
        self.total.add(record);
    }

    /// Puts the call where the oldest one was.
    fn replace(&mut self, size: u32, record: Record) {
        let (word, shift) = (self.next as usize / 32, self.next % 32 * 2);
        if self.ring.is_empty() {
            self.ring.resize(size.div_ceil(32) as usize, 0);
        }
        let full = self.total.calls >= size;
        if let Some(word) = self.ring.get_mut(word) {
            if full {
                let mut gone = Counts::default();
                gone.add(Record::from_bits(*word >> shift));
                self.total.take(gone);
            }
            *word = *word & !(3 << shift) | record.bits() << shift;
        }
        self.next = if self.next + 1 >= size { 0 } else { self.next + 1 };
    }

    /// Drops the buckets that are out of view at `now`.
    fn slide(&mut self, now: Moment, length: Duration, buckets: u32) {
        let count = u64::from(buckets.max(1));
        if self.buckets.is_empty() {
            self.buckets.resize(buckets.max(1) as usize, Counts::default());
        }
        let begun = *self.begun.get_or_insert(now);
        let number = nanos(now.since(begun)) / (nanos(length) / count).max(1);
        let passed = number.saturating_sub(self.current).min(count);
        for step in 1..=passed {
            let index = (self.current + step) % count;
            if let Some(old) = usize::try_from(index).ok().and_then(|i| self.buckets.get_mut(i)) {
                self.total.take(core::mem::take(old));
            }
        }
        self.current = self.current.max(number);
    }
}
