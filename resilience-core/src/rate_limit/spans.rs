//! Sets of positions on the time line of a rate limiter.

use std::collections::BTreeMap;

/// Disjoint ranges of positions, in nanoseconds.
#[derive(Debug)]
pub(super) struct Spans(BTreeMap<u64, u64>);

/// A range of positions, without the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn width(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Splits off the first part, of at most `width`.
    fn split(self, width: u64) -> (Self, Self) {
        let middle = self.start.saturating_add(width).min(self.end);
        (Self { end: middle, ..self }, Self { start: middle, ..self })
    }
}

impl Spans {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn first(&self) -> Option<Span> {
        self.0.first_key_value().map(|(start, end)| Span { start: *start, end: *end })
    }

    pub(super) fn last(&self) -> Option<Span> {
        self.0.last_key_value().map(|(start, end)| Span { start: *start, end: *end })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Span> {
        self.0.iter().map(|(start, end)| Span { start: *start, end: *end })
    }

    /// Returns the sum of the widths.
    pub(super) fn width(&self) -> u64 {
        self.iter().fold(0, |sum, span| sum.saturating_add(span.width()))
    }

    /// Adds a range, and joins the range with neighbors and overlapping ranges.
    pub(super) fn insert(&mut self, mut span: Span) {
        if span.width() == 0 {
            return;
        }
        while let Some((start, end)) = self.0.range(..=span.end).next_back() {
            if *end < span.start {
                break;
            }
            let (start, end) = (*start, *end);
            self.0.remove(&start);
            span = Span { start: span.start.min(start), end: span.end.max(end) };
        }
        self.0.insert(span.start, span.end);
    }

    pub(super) fn remove(&mut self, span: Span) {
        self.0.remove(&span.start);
    }

    /// Returns the end of the first `width` positions, or the missing width.
    pub(super) fn end_of(&self, width: u64) -> Result<u64, u64> {
        let mut missing = width;
        for span in self.iter() {
            if span.width() >= missing {
                return Ok(span.start.saturating_add(missing));
            }
            missing -= span.width();
        }
        Err(missing)
    }

    /// Returns the first range with room for `width`.
    pub(super) fn first_with(&self, width: u64) -> Option<Span> {
        self.iter().find(|span| span.width() >= width).map(|span| span.split(width).0)
    }

    /// Removes the first `width` positions, and passes the removed ranges on.
    pub(super) fn take_first(&mut self, width: u64, mut taken: impl FnMut(Span)) {
        let mut missing = width;
        while let (Some(span), true) = (self.first(), missing > 0) {
            let (first, rest) = span.split(missing);
            self.remove(span);
            self.insert(rest);
            missing = missing.saturating_sub(first.width());
            taken(first);
        }
    }

    /// Removes the last `width` positions, and passes the removed ranges on.
    pub(super) fn take_last(&mut self, width: u64, mut taken: impl FnMut(Span)) {
        let mut missing = width;
        while let (Some(span), true) = (self.last(), missing > 0) {
            let (rest, last) = span.split(span.width().saturating_sub(missing));
            self.remove(span);
            self.insert(rest);
            missing = missing.saturating_sub(last.width());
            taken(last);
        }
    }

    /// Removes a range that is part of a single range of the set.
    pub(super) fn take(&mut self, part: Span) {
        let found = self.0.range(..=part.start).next_back();
        if let Some(span) = found.map(|(start, end)| Span { start: *start, end: *end }) {
            self.remove(span);
            self.insert(Span { end: part.start.min(span.end), ..span });
            self.insert(Span { start: part.end, end: span.end.max(part.end) });
        }
    }

    /// Removes the positions before `now`. The rest of a cut range has a whole number of
    /// intervals.
    pub(super) fn expire(&mut self, now: u64, interval: u64) {
        while let Some(span) = self.first().filter(|span| span.start < now) {
            self.remove(span);
            let missed = (now - span.start).div_ceil(interval).saturating_mul(interval);
            self.insert(span.split(missed).1);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;

    fn spans(ranges: &[(u64, u64)]) -> Spans {
        let mut spans = Spans::new();
        for (start, end) in ranges {
            spans.insert(Span { start: *start, end: *end });
        }
        spans
    }

    fn ranges(spans: &Spans) -> Vec<(u64, u64)> {
        spans.iter().map(|span| (span.start, span.end)).collect()
    }

    #[test]
    fn neighbors_are_joined() {
        let joined = spans(&[(10, 20), (30, 40), (20, 30), (50, 60), (5, 5)]);
        assert_eq!((ranges(&joined), joined.width()), (vec![(10, 40), (50, 60)], 40));
        assert_eq!(ranges(&spans(&[(10, 20), (30, 40), (50, 60), (15, 35)])), [(10, 40), (50, 60)]);
    }

    #[test]
    fn parts_are_taken_from_both_ends_and_from_the_middle() {
        let mut line = spans(&[(10, 40), (50, 60)]);
        let mut taken = Vec::new();
        line.take_first(35, |span| taken.push((span.start, span.end)));
        line.take_last(2, |span| taken.push((span.start, span.end)));
        assert_eq!((ranges(&line), taken), (vec![(55, 58)], vec![(10, 40), (50, 55), (58, 60)]));
        let mut line = spans(&[(10, 40)]);
        line.take(Span { start: 20, end: 25 });
        assert_eq!(ranges(&line), [(10, 20), (25, 40)]);
        assert_eq!((line.end_of(12), line.end_of(30)), (Ok(27), Err(5)));
        assert_eq!(line.first_with(11), Some(Span { start: 25, end: 36 }));
    }

    #[test]
    fn expired_positions_leave_whole_intervals() {
        let mut line = spans(&[(0, 10), (20, 60), (70, 80)]);
        line.expire(31, 10);
        assert_eq!(ranges(&line), [(40, 60), (70, 80)]);
    }
}
