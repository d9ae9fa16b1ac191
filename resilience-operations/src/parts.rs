//! Distributions as counters, for exporters whose interface takes no counted distribution.

use core::time::Duration;

use resilience_core::{FigureInfo, FigureKind, FigureValue, Histogram};

use crate::series::{Family, SeriesLabels};

/// The label with the bound of a bucket in seconds, and `+Inf` for the last: as in Prometheus.
const BOUND: &str = "le";

/// The form of the values of an instrument.
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Whole numbers that only grow.
    Count,
    /// Seconds that only grow.
    Seconds,
    /// A current value.
    Gauge,
}

/// A figure, or a part of a distribution: an instrument of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) info: &'static FigureInfo,
    kind: PartKind,
}

#[derive(Clone, Copy, Debug)]
enum PartKind {
    Whole,
    /// The number of durations up to a bound.
    Buckets,
    Sum,
    Count,
}

/// Returns the instruments of a figure: one, and three for a distribution.
pub(crate) fn parts(info: &'static FigureInfo) -> impl Iterator<Item = Part> {
    let kinds: &[PartKind] = match info.kind {
        FigureKind::Histogram => &[PartKind::Buckets, PartKind::Sum, PartKind::Count],
        _ => &[PartKind::Whole],
    };
    kinds.iter().map(move |kind| Part { info, kind: *kind })
}

impl Part {
    pub(crate) fn name(self) -> String {
        let suffix = match self.kind {
            PartKind::Whole => "",
            PartKind::Buckets => ".bucket",
            PartKind::Sum => ".sum",
            PartKind::Count => ".count",
        };
        format!("{}{suffix}", self.info.name)
    }

    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn unit(self) -> &'static str {
        match self.kind {
            PartKind::Whole | PartKind::Sum => self.info.unit,
            PartKind::Buckets | PartKind::Count => "{call}",
        }
    }

    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn form(self) -> Form {
        match (self.info.kind, self.unit()) {
            (FigureKind::Gauge, _) => Form::Gauge,
            (_, "s") => Form::Seconds,
            _ => Form::Count,
        }
    }

    /// Returns the series of the part.
    pub(crate) fn series(self, family: &Family) -> Vec<(SeriesLabels, FigureValue)> {
        let of_part = |(labels, value): (&SeriesLabels, &FigureValue)| match (self.kind, value) {
            (PartKind::Buckets, FigureValue::Histogram(histogram)) => buckets(labels, histogram),
            (PartKind::Sum, FigureValue::Histogram(histogram)) => {
                vec![(labels.clone(), FigureValue::Time(histogram.sum()))]
            }
            (PartKind::Count, FigureValue::Histogram(histogram)) => {
                vec![(labels.clone(), FigureValue::Count(histogram.count()))]
            }
            (_, value) => vec![(labels.clone(), value.clone())],
        };
        family.series.iter().flat_map(of_part).collect()
    }
}

fn buckets(labels: &SeriesLabels, histogram: &Histogram) -> Vec<(SeriesLabels, FigureValue)> {
    let bucket = |(bound, count)| {
        let mut labels = labels.clone();
        labels.push((BOUND, bound_label(bound)));
        (labels, FigureValue::Count(count))
    };
    histogram.cumulative().map(bucket).collect()
}

/// Returns the text of a bound in seconds. The texts are those of the constant bounds.
pub(crate) fn bound_label(bound: Option<Duration>) -> &'static str {
    const LABELS: [&str; Histogram::BOUNDS.len()] = [
        "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5",
        "10", "30", "60",
    ];
    let index = Histogram::BOUNDS.iter().position(|known| Some(*known) == bound);
    index.and_then(|index| LABELS.get(index)).copied().unwrap_or("+Inf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_each_bound_is_the_bound_in_seconds() {
        for bound in Histogram::BOUNDS {
            assert_eq!(bound_label(Some(bound)), bound.as_secs_f64().to_string());
        }
        assert_eq!(bound_label(None), "+Inf");
    }
}
