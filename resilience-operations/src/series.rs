//! The figures of all policies as series: one sum for each combination of labels.

use resilience_core::__internal::all_figures;
use resilience_core::{FigureInfo, FigureValue, Labels, PolicyKind};

/// The sum of a figure over the policies of a name and kind.
pub(crate) struct Series {
    policy: &'static str,
    kind: PolicyKind,
    labels: Labels,
    pub(crate) value: FigureValue,
}

impl Series {
    /// Returns the labels: those of the policy first.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let [name, kind] = FigureInfo::POLICY_LABELS;
        let of_policy = [(name, self.policy), (kind, self.kind.as_str())];
        of_policy.into_iter().chain(self.labels.iter().copied())
    }
}

/// A figure with all series, in the order of the policies.
pub(crate) struct Family {
    pub(crate) info: &'static FigureInfo,
    pub(crate) series: Vec<Series>,
}

/// Returns the figures of all policies, in the order of the table. A counter includes dropped
/// policies of the name, so the counter never goes down. Two policies with equal labels,
/// such as two functions of one name, share a series with the sum. A figure without a series is
/// included.
pub(crate) fn families() -> Vec<Family> {
    let empty = |info: &&'static FigureInfo| Family { info, series: Vec::new() };
    let mut families: Vec<_> = FigureInfo::all().iter().map(empty).collect();
    let mut policies = all_figures();
    // The series of a name and kind then stand together, at the end of each family so far.
    policies.sort_by_key(|(name, kind, _)| (*name, *kind));
    for (policy, kind, figures) in policies {
        for figure in figures {
            let family = families.iter_mut().find(|family| family.info.name == figure.info.name);
            let Some(Family { series, .. }) = family else { continue };
            let of_policy = series
                .iter_mut()
                .rev()
                .take_while(|series| (series.policy, series.kind) == (policy, kind));
            if let Some(sum) = of_policy.into_iter().find(|series| series.labels == figure.labels) {
                sum.value = sum.value.plus(&figure.value);
            } else {
                let (labels, value) = (figure.labels, figure.value);
                series.push(Series { policy, kind, labels, value });
            }
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
            let has = |series: &Series, value| series.labels().any(|label| label.1 == value);
            series
                .filter(|series| has(series, name) && has(series, label))
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
