//! The figures of all policies as series: one sum for each combination of labels.

use core::ptr;

use resilience_core::__internal::all_figures;
use resilience_core::{FigureInfo, FigureValue, Labels, PolicyKind};

/// The figures of all policies at one time.
pub(crate) struct Reading {
    /// The policies that have series: names and kinds, each once, in order.
    pub(crate) policies: Vec<(&'static str, PolicyKind)>,
    /// All figures, in the order of the table. A figure may have no series.
    pub(crate) families: Vec<Family>,
}

/// A figure with all series, in the order of the policies.
pub(crate) struct Family {
    pub(crate) info: &'static FigureInfo,
    pub(crate) series: Vec<Series>,
}

/// The sum of a figure over the policies of a name and kind.
pub(crate) struct Series {
    /// The position in [`Reading::policies`].
    pub(crate) policy: usize,
    /// The labels beside those of the policy.
    pub(crate) labels: Labels,
    pub(crate) value: FigureValue,
}

/// Reads the figures of all policies. A counter includes dropped policies of the name, so the
/// counter never goes down. Two policies with equal labels, such as two functions of one name,
/// share a series with the sum.
pub(crate) fn read() -> Reading {
    let mut figures = all_figures();
    figures.sort_by_key(|(name, kind, _)| (*name, *kind));
    let mut policies = Vec::with_capacity(figures.len());
    let empty = |info: &&'static FigureInfo| Family { info, series: Vec::new() };
    let mut families: Vec<_> = FigureInfo::all().iter().map(empty).collect();
    for (name, kind, figures) in figures {
        let is_known = policies.last() == Some(&(name, kind));
        if !is_known {
            policies.push((name, kind));
        }
        let policy = policies.len().saturating_sub(1);
        for figure in figures {
            let family = families.iter_mut().find(|family| ptr::eq(family.info, figure.info));
            let Some(Family { series, .. }) = family else { continue };
            // The labels of a single policy differ.
            let known = if is_known { series.as_mut_slice() } else { &mut [] };
            let of_policy = known.iter_mut().rev().take_while(|series| series.policy == policy);
            if let Some(sum) = of_policy.into_iter().find(|series| series.labels == figure.labels) {
                sum.value = sum.value.plus(&figure.value);
            } else {
                series.push(Series { policy, labels: figure.labels, value: figure.value });
            }
        }
    }
    Reading { policies, families }
}

#[cfg(any(feature = "metrics", feature = "prometheus"))]
impl Reading {
    /// Returns the figures with series.
    pub(crate) fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.iter().filter(|family| !family.series.is_empty())
    }
}

/// Returns the labels of a policy.
pub(crate) fn policy_labels(
    (name, kind): (&'static str, PolicyKind),
) -> [(&'static str, &'static str); 2] {
    let [name_label, kind_label] = FigureInfo::POLICY_LABELS;
    [(name_label, name), (kind_label, kind.as_str())]
}

#[cfg(test)]
mod tests {
    use resilience_core::CircuitBreaker;

    use super::*;

    /// Returns the rejected calls of the breakers with this name, and whether a state is shown.
    fn rejected(name: &str) -> (u64, bool) {
        let reading = read();
        let policy = (name, PolicyKind::CircuitBreaker);
        let policy = reading.policies.iter().position(|known| *known == policy);
        let series = |figure: &str, label: &str| {
            let family = reading.families.iter().find(|family| family.info.name == figure);
            let series = family.into_iter().flat_map(|family| &family.series);
            let has = |series: &Series| series.labels.iter().any(|known| known.1 == label);
            series
                .filter(|series| Some(series.policy) == policy && has(series))
                .map(|series| series.value.as_u64())
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
