//! Distributions of durations in fixed buckets.

use core::time::Duration;

/// The number of buckets.
pub(super) const BUCKETS: usize = Histogram::BOUNDS.len() + 1;

/// A distribution of durations. The value of a figure of the kind
/// [`Histogram`](super::FigureKind::Histogram).
///
/// Each bucket counts the durations up to its bound and above the bound before. The last bucket has
/// no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    pub(super) counts: [u64; BUCKETS],
    pub(super) sum: Duration,
}

impl Histogram {
    /// The bounds of the buckets, from 1 ms to a minute.
    pub const BOUNDS: [Duration; 15] = [
        Duration::from_millis(1),
        Duration::from_micros(2500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2500),
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(30),
        Duration::from_secs(60),
    ];

    /// Returns the sum of the durations.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Returns for each bucket the bound, and the number of durations up to the bound, from the
    /// shortest bound on. The last bucket has no bound and the number of all durations.
    pub fn cumulative(&self) -> impl Iterator<Item = (Option<Duration>, u64)> + '_ {
        let bounds = Self::BOUNDS.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().scan(0_u64, |sum, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        });
        bounds.zip(counts)
    }

    /// Returns the distribution of the durations of both.
    #[must_use]
    pub fn merged(mut self, other: &Self) -> Self {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*other);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let buckets =
            self.cumulative().map(|(bound, count)| (bound.map(|it| it.as_secs_f64()), count));
        let mut histogram = serializer.serialize_struct("Histogram", 3)?;
        histogram.serialize_field("count", &self.count())?;
        histogram.serialize_field("sum", &self.sum.as_secs_f64())?;
        histogram.serialize_field("buckets", &buckets.collect::<Vec<_>>())?;
        histogram.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buckets_are_cumulative_and_a_merge_adds() {
        let mut histogram = Histogram::default();
        histogram.counts[0] = 2;
        histogram.counts[BUCKETS - 1] = 1;
        histogram.sum = Duration::from_secs(90);
        let merged = histogram.merged(&histogram);
        assert_eq!((merged.count(), merged.sum()), (6, Duration::from_secs(180)));
        let buckets: Vec<_> = merged.cumulative().collect();
        assert_eq!(buckets[0], (Some(Duration::from_millis(1)), 4));
        assert_eq!(buckets[BUCKETS - 2], (Some(Duration::from_secs(60)), 4));
        assert_eq!(buckets[BUCKETS - 1], (None, 6));
    }

    #[test]
    fn the_bounds_rise() {
        assert!(Histogram::BOUNDS.is_sorted());
    }
}
