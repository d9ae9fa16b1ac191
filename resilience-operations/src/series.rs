//! The figures of all policies as series: one sum for each combination of labels.

use core::time::Duration;
use std::collections::BTreeMap;

use resilience_core::{FigureInfo, FigureValue, policies};

/// The labels of a series: the labels of the policy first.
pub(crate) type SeriesLabels = Vec<(&'static str, &'static str)>;

/// A figure with its series, in the order of their labels.
pub(crate) struct Family {
    pub(crate) info: &'static FigureInfo,
    pub(crate) series: BTreeMap<SeriesLabels, FigureValue>,
}

/// Returns the figures of all policies, in the order of the table. Two policies with equal labels,
/// such as two functions of one name, share a series with the sum. A figure without a series is
/// included.
pub(crate) fn families() -> Vec<Family> {
    let empty = |info: &&'static FigureInfo| Family { info, series: BTreeMap::new() };
    let mut families: Vec<_> = FigureInfo::all().iter().map(empty).collect();
    let position: BTreeMap<_, _> =
        families.iter().enumerate().map(|(index, family)| (family.info.name, index)).collect();
    for policy in policies() {
        let [name, kind] = FigureInfo::POLICY_LABELS;
        let of_policy = [(name, policy.name), (kind, policy.kind.as_str())];
        for figure in policy.figures {
            let family = position.get(figure.info.name).and_then(|index| families.get_mut(*index));
            let Some(family) = family else { continue };
            let labels = of_policy.iter().chain(figure.labels.iter()).copied().collect();
            let sum = family.series.entry(labels);
            sum.and_modify(|sum| *sum = add(*sum, figure.value)).or_insert(figure.value);
        }
    }
    families
}

/// Returns the sum of two values of one figure.
fn add(left: FigureValue, right: FigureValue) -> FigureValue {
    match (left, right) {
        (FigureValue::Count(left), FigureValue::Count(right)) => {
            FigureValue::Count(left.saturating_add(right))
        }
        (left, right) => FigureValue::Time(time(left).saturating_add(time(right))),
    }
}

fn time(value: FigureValue) -> Duration {
    match value {
        FigureValue::Time(time) => time,
        value => Duration::from_nanos(value.as_u64()),
    }
}
