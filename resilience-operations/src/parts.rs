//! Distributions as counters, for exporters whose interface takes no counted distribution.

use core::time::Duration;

use resilience_core::{FigureInfo, FigureKind, FigureValue, Histogram};

use crate::series::{Family, Series};
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
use crate::series::{Reading, policy_labels};

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

    /// Passes each value of the part to `take`, with the series and the label of a bucket.
    pub(crate) fn each(
        self,
        family: &Family,
        mut take: impl FnMut(&Series, Option<(&'static str, &'static str)>, &FigureValue),
    ) {
        for series in &family.series {
            match (self.kind, &series.value) {
                (PartKind::Buckets, FigureValue::Histogram(histogram)) => {
                    for (bound, count) in histogram.cumulative() {
                        let label = (BOUND, bound_label(bound));
                        take(series, Some(label), &FigureValue::Count(count));
                    }
                }
                (PartKind::Sum, FigureValue::Histogram(histogram)) => {
                    take(series, None, &FigureValue::Time(histogram.sum()));
                }
                (PartKind::Count, FigureValue::Histogram(histogram)) => {
                    take(series, None, &FigureValue::Count(histogram.count()));
                }
                (_, value) => take(series, None, value),
            }
        }
    }

    /// Returns the values of the part, each with all labels in the form of an exporter.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn series<L>(
        self,
        reading: &Reading,
        family: &Family,
        label: impl Fn((&'static str, &'static str)) -> L,
    ) -> Vec<(Vec<L>, FigureValue)> {
        let mut values = Vec::with_capacity(family.series.len());
        self.each(family, |series, bucket, value| {
            let mut labels = Vec::with_capacity(series.labels.len().saturating_add(3));
            let policy = reading.policies.get(series.policy).copied().map(policy_labels);
            labels.extend(policy.into_iter().flatten().map(&label));
            labels.extend(series.labels.iter().copied().chain(bucket).map(&label));
            values.push((labels, value.clone()));
        });
        values
    }
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
