//! The window of recent outcomes, by number of calls or by time.

use core::time::Duration;

use super::cursor::Cursor;
use super::on_demand::Initial;
use super::snapshot::WindowSlice;
use crate::clock::{Timestamp, nanos};

/// The range of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// No window: failures in a row only.
    None,
    /// The last calls; at least one.
    Calls(u32),
    /// The last period, in this number of buckets; at least one.
    Time { length: Duration, buckets: u32 },
}

impl Span {
    /// Returns the largest number of calls in view.
    const fn largest(self) -> u32 {
        match self {
            Self::Calls(size) => size,
            Self::None | Self::Time { .. } => u32::MAX,
        }
    }
}

/// The number of calls, failures and slow calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u32,
    pub(super) failures: u32,
    pub(super) slow: u32,
}

/// The outcome of a finished call.
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
    pub(super) fn add(&mut self, record: Record) {
        self.calls = self.calls.saturating_add(1);
        self.mark(record);
    }

    /// Adds the failure and slow flags of a call that is counted elsewhere.
    fn mark(&mut self, record: Record) {
        self.failures = self.failures.saturating_add(u32::from(record.failed));
        self.slow = self.slow.saturating_add(u32::from(record.slow));
    }

    fn merge(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failures = self.failures.saturating_add(other.failures);
        self.slow = self.slow.saturating_add(other.slow);
    }

    fn subtract(&mut self, expired: Self) {
        self.calls = self.calls.saturating_sub(expired.calls);
        self.failures = self.failures.saturating_sub(expired.failures);
        self.slow = self.slow.saturating_sub(expired.slow);
    }
}

/// The outcomes in view, under the lock, apart from the successes that the [`Cursor`] has counted
/// since the last grant.
#[derive(Debug)]
pub(super) struct Window {
    total: Counts,
    /// The grant of the cursor at the last record.
    granted: u32,
    /// Two bits for each call, 32 calls in a word; allocated at the first failure.
    ring: Vec<u64>,
    /// The position of the next call in the ring.
    position: u32,
    buckets: Vec<Counts>,
    /// The number of the current bucket, counted from the first.
    current: u64,
    /// The start of the first bucket.
    begun: Option<Timestamp>,
}

impl Initial for Window {
    const NEW: Self = Self {
        total: Counts { calls: 0, failures: 0, slow: 0 },
        granted: 0,
        ring: Vec::new(),
        position: 0,
        buckets: Vec::new(),
        current: 0,
        begun: None,
    };
    const SHARED: &'static Self = &Self::NEW;
}

impl Window {
    /// Clears the window and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.total = Counts::default();
        self.granted = 0;
        self.ring.fill(0);
        self.position = 0;
        self.buckets.fill(Counts::default());
        self.current = 0;
        self.begun = None;
    }

    /// Returns the counts in view at `now`; only time windows read the clock.
    pub(super) fn counts(
        &mut self,
        span: Span,
        cursor: &Cursor,
        now: impl FnOnce() -> Timestamp,
    ) -> Counts {
        if let Span::Time { length, buckets } = span {
            if self.begun.is_some() {
                self.slide(cursor, now(), length, buckets);
            }
        }
        self.last_counts(span, cursor)
    }

    /// Returns the counts as of the last update.
    pub(super) fn last_counts(&self, span: Span, cursor: &Cursor) -> Counts {
        let calls = self.total.calls.saturating_add(self.uncollected(cursor));
        Counts { calls: calls.min(span.largest()), ..self.total }
    }

    /// Records a call. `min_calls` is the number of calls from which a rate applies.
    pub(super) fn record(
        &mut self,
        span: Span,
        min_calls: u32,
        cursor: &Cursor,
        now: impl FnOnce() -> Timestamp,
        record: Record,
    ) {
        match span {
            Span::None => return,
            Span::Calls(size) => {
                self.collect(span, cursor);
                let expired = self.replace(size, record);
                self.total.subtract(expired);
                self.total.add(record);
                self.total.calls = self.total.calls.min(size);
            }
            Span::Time { length, buckets } => {
                self.slide(cursor, now(), length, buckets);
                self.collect(span, cursor);
                if let Some(bucket) = self.bucket(self.current) {
                    bucket.add(record);
                }
                self.total.add(record);
            }
        }
        // The first success after a failure ends the run of failures, under the lock.
        if !record.failed {
            self.granted = self.harmless_successes(span, min_calls);
            cursor.grant(self.granted);
        }
    }

    /// Returns the number of successes to come that change nothing but the number of calls.
    fn harmless_successes(&self, span: Span, min_calls: u32) -> u32 {
        let Counts { calls, failures, slow } = self.total;
        if failures == 0 && slow == 0 {
            return u32::MAX;
        }
        // A success lowers every rate. But the success that completes the minimum makes the rates
        // apply.
        let before_minimum = match min_calls.saturating_sub(calls) {
            0 => u32::MAX,
            missing => missing - 1,
        };
        match span {
            Span::Calls(size) => before_minimum.min(self.successes_ahead(size)),
            Span::None | Span::Time { .. } => before_minimum,
        }
    }

    /// Returns the number of places from the position on that hold no failure and no slow call, as
    /// far as a bounded search finds out.
    fn successes_ahead(&self, size: u32) -> u32 {
        const WORDS: u32 = 16;
        let (mut place, mut found) = (self.position, 0);
        for _ in 0..WORDS {
            let rest =
                self.ring.get(place as usize / 32).map_or(0, |word| word >> (place % 32 * 2));
            let in_word = (32 - place % 32).min(size - place);
            let free = (rest.trailing_zeros() / 2).min(in_word);
            found += free;
            if free < in_word {
                break;
            }
            place = (place + in_word) % size;
        }
        found.min(size)
    }

    /// Returns the number of successes that the cursor has counted since the grant.
    fn uncollected(&self, cursor: &Cursor) -> u32 {
        self.granted.saturating_sub(cursor.rest())
    }

    /// Takes back the grant, and adds the successes that the cursor has counted.
    fn collect(&mut self, span: Span, cursor: &Cursor) {
        let successes = self.granted.saturating_sub(cursor.take_back());
        self.granted = 0;
        self.total.calls = self.total.calls.saturating_add(successes).min(span.largest());
        match span {
            Span::None => {}
            Span::Calls(size) => self.position = (self.position + successes % size) % size,
            Span::Time { .. } => {
                if let Some(bucket) = self.bucket(self.current) {
                    bucket.calls = bucket.calls.saturating_add(successes);
                }
            }
        }
    }

    pub(super) const fn has_no_failures(&self) -> bool {
        self.total.failures == 0
    }

    /// Returns whether the first call since the window was cleared is at least `length` old.
    pub(super) fn is_filled(&self, length: Duration, now: Timestamp) -> bool {
        self.begun.is_some_and(|begun| now.since(begun) >= length)
    }

    /// Returns the calls in view at `now`, or as of the last update, oldest first.
    pub(super) fn slices(
        &mut self,
        span: Span,
        cursor: &Cursor,
        now: Option<Timestamp>,
    ) -> Vec<WindowSlice> {
        match span {
            Span::None => Vec::new(),
            Span::Calls(size) => {
                self.collect(span, cursor);
                self.runs(size)
            }
            Span::Time { length, buckets } => {
                if let Some(now) = now {
                    self.counts(span, cursor, || now);
                }
                self.live_buckets(length, buckets, cursor, now)
            }
        }
    }

    /// Returns the calls of the ring as runs of equal outcomes.
    fn runs(&self, size: u32) -> Vec<WindowSlice> {
        let calls = self.total.calls;
        let oldest = if calls < size { 0 } else { self.position };
        let mut runs: Vec<WindowSlice> = Vec::new();
        let mut last = None;
        for step in 0..calls {
            // At most twice 100 000.
            let position = (oldest + step) % size;
            let (word, shift) = (position as usize / 32, position % 32 * 2);
            let bits = self.ring.get(word).map_or(0, |word| *word >> shift);
            let record = Record::from_bits(bits);
            if last != Some(record) {
                runs.push(WindowSlice::default());
                last = Some(record);
            }
            if let Some(run) = runs.last_mut() {
                run.calls += 1;
                run.failures += u32::from(record.failed);
                run.slow_calls += u32::from(record.slow);
            }
        }
        runs
    }

    fn live_buckets(
        &mut self,
        length: Duration,
        buckets: u32,
        cursor: &Cursor,
        now: Option<Timestamp>,
    ) -> Vec<WindowSlice> {
        let Some(begun) = self.begun else { return Vec::new() };
        let uncollected = self.uncollected(cursor);
        let width = bucket_width(length, buckets);
        let start = |number: u64| begun.plus(Duration::from_nanos(number.saturating_mul(width)));
        let now = now.unwrap_or_else(|| start(self.current));
        let oldest = self.current.saturating_sub(u64::from(buckets) - 1);
        let slices = (oldest..=self.current).filter_map(|number| {
            let counts = *self.bucket(number)?;
            let is_current = number == self.current;
            let calls = counts.calls.saturating_add(if is_current { uncollected } else { 0 });
            let age = now.since(start(number));
            let Counts { failures, slow: slow_calls, .. } = counts;
            // The current bucket keeps the alignment of the buckets, with or without calls.
            (is_current || calls > 0).then_some(WindowSlice { age, calls, failures, slow_calls })
        });
        slices.collect()
    }

    /// Fills an empty window with the calls of another window, oldest first.
    pub(super) fn refill(
        &mut self,
        span: Span,
        min_calls: u32,
        cursor: &Cursor,
        now: Timestamp,
        slices: &[WindowSlice],
    ) {
        match span {
            Span::None => {}
            Span::Calls(size) => {
                let all: u64 = slices.iter().map(|slice| u64::from(slice.calls)).sum();
                let mut skipped = all.saturating_sub(u64::from(size));
                for slice in slices {
                    // A slice may be larger than any window.
                    let first = u32::try_from(skipped).map_or(slice.calls, |n| n.min(slice.calls));
                    skipped -= u64::from(first);
                    for call in first..slice.calls {
                        let record =
                            Record { failed: call < slice.failures, slow: call < slice.slow_calls };
                        self.record(span, min_calls, cursor, || now, record);
                    }
                }
            }
            Span::Time { length, buckets } => {
                for slice in slices.iter().filter(|slice| slice.age < length) {
                    self.slide(cursor, now.minus(slice.age), length, buckets);
                    let WindowSlice { calls, failures, slow_calls: slow, .. } = *slice;
                    let counts = Counts { calls, failures, slow };
                    if let Some(bucket) = self.bucket(self.current) {
                        bucket.merge(counts);
                    }
                    self.total.merge(counts);
                }
                self.counts(span, cursor, || now);
            }
        }
    }

    /// Overwrites the oldest record. Returns the failures and slow calls among the overwritten
    /// record: none while the ring is not full.
    fn replace(&mut self, size: u32, record: Record) -> Counts {
        let (word, shift) = (self.position as usize / 32, self.position % 32 * 2);
        self.position = (self.position + 1) % size;
        if self.ring.is_empty() {
            self.ring.resize(size.div_ceil(32) as usize, 0);
        }
        let mut expired = Counts::default();
        if let Some(word) = self.ring.get_mut(word) {
            expired.mark(Record::from_bits(*word >> shift));
            *word = *word & !(3 << shift) | record.bits() << shift;
        }
        expired
    }

    fn bucket(&mut self, number: u64) -> Option<&mut Counts> {
        let index = number % self.buckets.len().max(1) as u64;
        usize::try_from(index).ok().and_then(|index| self.buckets.get_mut(index))
    }

    /// Drops the buckets that have expired at `now`.
    fn slide(&mut self, cursor: &Cursor, now: Timestamp, length: Duration, buckets: u32) {
        let count = u64::from(buckets);
        if self.buckets.is_empty() {
            self.buckets.resize(buckets as usize, Counts::default());
        }
        let width = bucket_width(length, buckets);
        let is_new = self.begun.is_none();
        let begun = *self.begun.get_or_insert(now);
        let number = nanos(now.since(begun)) / width;
        let passed = number.saturating_sub(self.current).min(count);
        if passed == 0 && !is_new {
            return;
        }
        let until = begun.word().saturating_add(number.saturating_add(1).saturating_mul(width));
        self.collect(Span::Time { length, buckets }, cursor);
        cursor.end_bucket_at(until);
        for step in 1..=passed {
            if let Some(expired) = self.bucket(self.current + step).map(core::mem::take) {
                self.total.subtract(expired);
            }
        }
        self.current = self.current.max(number);
    }
}

fn bucket_width(length: Duration, buckets: u32) -> u64 {
    (nanos(length) / u64::from(buckets)).max(1)
}
