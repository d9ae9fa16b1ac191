//! The figures of all policies as series: one sum for each combination of labels.

use std::collections::BTreeMap;

use resilience_core::__internal::retired_counters;
use resilience_core::{FigureInfo, FigureValue, policies};

/// The labels of a series: the labels of the policy first.
pub(crate) type SeriesLabels = Vec<(&'static str, &'static str)>;

/// A figure with all series, in the order of the labels.
pub(crate) struct Family {
    pub(crate) info: &'static FigureInfo,
    pub(crate) series: BTreeMap<SeriesLabels, FigureValue>,
}

/// Returns the figures of all policies, in the order of the table. A counter includes dropped
/// policies of the name, so the counter never goes down. Two policies with equal labels,
/// such as two functions of one name, share a series with the sum. A figure without a series is
/// included.
pub(crate) fn families() -> Vec<Family> {
    let empty = |info: &&'static FigureInfo| Family { info, series: BTreeMap::new() };
    let mut families: Vec<_> = FigureInfo::all().iter().map(empty).collect();
    let position: BTreeMap<_, _> =
        families.iter().enumerate().map(|(index, family)| (family.info.name, index)).collect();
    let live = policies().into_iter().map(|policy| (policy.name, policy.kind, policy.figures));
    for (policy, policy_kind, figures) in live.chain(retired_counters()) {
        let [name, kind] = FigureInfo::POLICY_LABELS;
        let of_policy = [(name, policy), (kind, policy_kind.as_str())];
        for figure in figures {
            let family = position.get(figure.info.name).and_then(|index| families.get_mut(*index));
            let Some(family) = family else { continue };
            let labels = of_policy.iter().chain(figure.labels.iter()).copied().collect();
            let sum = family.series.entry(labels);
            sum.and_modify(|sum| *sum = sum.plus(&figure.value)).or_insert(figure.value);
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use resilience_core::CircuitBreaker;

    use super::*;

    /// Returns the rejected calls of the breakers with this name, and whether a state is shown.
    fn rejected(name: &str) -> (u64, bool) {
        let families = families();
        let series = |figure: &str, label: &str| {
            let family = families.iter().find(|family| family.info.name == figure);
            let series = family.into_iter().flat_map(|family| &family.series);
            let has = |labels: &SeriesLabels, value| labels.iter().any(|label| label.1 == value);
            series
                .filter(|(labels, _)| has(labels, name) && has(labels, label))
                .map(|(_, value)| value.as_u64())
                .collect::<Vec<_>>()
        };
        let states = series("resilience.circuit_breaker.state", "open");
        (series("resilience.calls", "rejected").iter().sum(), !states.is_empty())
    }

    fn breaker_with(rejections: u32) -> CircuitBreaker {
        let breaker = CircuitBreaker::new().name("dropped");
        breaker.force_open();
        for _ in 0..rejections {
            assert!(breaker.try_acquire().is_err());
        }
        breaker
    }

    #[test]
    fn a_counter_includes_dropped_policies_and_a_gauge_does_not() {
        let (first, second) = (breaker_with(3), breaker_with(4));
        assert_eq!(rejected("dropped"), (7, true));
        drop(first);
        assert_eq!(rejected("dropped"), (7, true));
        drop(second);
        assert_eq!(rejected("dropped"), (7, false));
        let third = breaker_with(1);
        assert_eq!(rejected("dropped"), (8, true));
        drop(third);
        assert_eq!(rejected("dropped"), (8, false));
    }
}
