//! The keys of a table, for the registry.

use std::sync::Arc;

use super::{Keyed, KeyedPolicy};
use crate::figures::table::{IN_FLIGHT, QUEUED, TURNS};
use crate::figures::{Figure, FigureValue};
use crate::registry::{KeyReport, KeysReport, Policy, PolicyKind, TOP_KEYS};

/// A key: the hash, the number of calls, and the policy.
type Seen<P> = (u64, u64, Arc<P>);

impl<T: KeyedPolicy> Keyed<T> {
    /// Returns the number of keys, and the keys with the most calls and the most rejections.
    pub(super) fn keys_report(&self) -> KeysReport {
        let (mut busiest, mut rejecting) = (Top::new(), Top::new());
        let mut open = 0_u32;
        self.for_each_key(|id, calls, policy| {
            busiest.offer(calls, id, calls, policy);
            rejecting.offer(policy.rejected(), id, calls, policy);
            let is_open = policy.state().is_some_and(|state| !state.admits_all());
            open = open.saturating_add(is_open.into());
        });
        KeysReport {
            keys: self.len(),
            max_keys: self.max.max(1),
            open,
            busiest: busiest.reports(),
            rejecting: rejecting.reports(),
        }
    }

    /// Returns the key with this label.
    pub(super) fn key_report(&self, label: &str) -> Option<KeyReport> {
        let mut found = None;
        self.for_each_key(|id, calls, policy| {
            if found.is_none() && is_named(label, id, &**policy) {
                found = Some((id, calls, Arc::clone(policy)));
            }
        });
        found.as_ref().map(report)
    }

    /// Adds the sums of the calls that hold a permit, and of the calls that wait.
    pub(super) fn add_totals(&self, figures: &mut Vec<Figure>) {
        let has_permits = self.make.policy().kind() == PolicyKind::Bulkhead;
        let has_turns = self.make.policy().kind() == PolicyKind::RateLimit;
        let mut sums = [(&IN_FLIGHT, has_permits), (&QUEUED, has_permits), (&TURNS, has_turns)]
            .map(|(info, is_shown)| (Figure::gauge(info, 0), is_shown));
        if !has_permits && !has_turns {
            return;
        }
        let mut current = Vec::new();
        self.for_each_key(|_, _, policy| {
            current.clear();
            policy.figures_now(&mut current);
            for (sum, _) in &mut sums {
                let same = current.iter().filter(|figure| figure.info == sum.info);
                let total = same.fold(sum.value.as_u64(), |total, figure| {
                    total.saturating_add(figure.value.as_u64())
                });
                sum.value = FigureValue::Count(total);
            }
        });
        figures.extend(sums.into_iter().filter(|(_, is_shown)| *is_shown).map(|(sum, _)| sum));
    }

    /// Returns all policies, also the overflow state, with the hashes of their keys.
    pub(super) fn each_policy(&self) -> Vec<(u64, Arc<T::PerKey>)> {
        let mut policies = Vec::new();
        self.for_each_key(|id, _, policy| policies.push((id, Arc::clone(policy))));
        let overflow = self.state.get().and_then(|state| state.overflow.get());
        policies.extend(overflow.map(|policy| (0, Arc::clone(policy))));
        policies
    }

    /// Passes each key to `read`.
    fn for_each_key(&self, mut read: impl FnMut(u64, u64, &Arc<T::PerKey>)) {
        if let Some(state) = self.state.get() {
            state.table.for_each(&mut read);
        }
    }
}

/// Returns whether a key has this label, or a hash with these digits.
pub(super) fn is_named<P: Policy>(label: &str, id: u64, policy: &P) -> bool {
    match policy.key_label() {
        Some(known) => known.as_str() == label,
        None => digits(id) == label,
    }
}

fn digits(id: u64) -> String {
    format!("{id:016x}")
}

fn report<P: Policy>((id, calls, policy): &Seen<P>) -> KeyReport {
    let mut gauges = Vec::new();
    policy.figures_now(&mut gauges);
    let label = policy.key_label();
    KeyReport {
        key: label.map_or_else(|| digits(*id), |label| label.as_str().to_owned()),
        calls: *calls,
        rejected: policy.rejected(),
        state: policy.state(),
        gauges,
    }
}

/// The keys with the highest counts, highest first.
struct Top<P>(Vec<(u64, Seen<P>)>);

impl<P: Policy> Top<P> {
    fn new() -> Self {
        Self(Vec::with_capacity(TOP_KEYS))
    }

    /// Takes the key if its count is among the highest. Zero never is.
    fn offer(&mut self, count: u64, id: u64, calls: u64, policy: &Arc<P>) {
        let position = self.0.partition_point(|(known, _)| *known >= count);
        if count > 0 && position < TOP_KEYS {
            self.0.truncate(TOP_KEYS - 1);
            self.0.insert(position, (count, (id, calls, Arc::clone(policy))));
        }
    }

    fn reports(&self) -> Vec<KeyReport> {
        self.0.iter().map(|(_, seen)| report(seen)).collect()
    }
}
