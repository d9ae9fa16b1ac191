//! The registry: every policy of the process, with settings, state and figures.

use std::sync::Arc;

pub(crate) mod changes;
mod explain;
pub(crate) mod facts;
mod health;
pub(crate) mod list;
mod names;
pub(crate) mod pattern;
pub(crate) mod policy;
pub(crate) mod record;
pub(crate) mod record_handle;
mod register;
mod report;
mod retired;
mod sites;

pub use self::changes::{CircuitChanges, circuit_changes, circuit_closed};
pub(crate) use self::explain::explain_policy;
pub use self::explain::{Explanation, LayerExplanation, explain};
pub use self::health::{DegradedPolicy, Health, health, set_health_threshold};
pub(crate) use self::policy::Itself;
pub use self::policy::{Policy, PolicyFigures};
pub use self::record::Record;
pub(crate) use self::register::list_static;
pub use self::register::{PolicyHandle, register};
pub(crate) use self::report::CIRCUIT_BREAKER;
pub use self::report::{
    KeyReport, KeysReport, PolicyKind, PolicyReport, Setting, SettingOrigin, SourceLocation,
};
pub(crate) use self::sites::Hedges;
pub use self::sites::{
    Site, TimedFunction, fallback_site, idempotent_site, timed_function, timed_out, timeout_site,
};
use crate::figures::Figure;
use crate::keyed::KeyLabel;
use crate::mode::{self, ModeChange};

/// The largest number of keys in a list of [`KeysReport`].
pub const TOP_KEYS: usize = 10;

/// Returns the policies of this process, in the order of their first events: annotated functions,
/// and policies by hand.
///
/// A policy is listed from its first event on: a failure, a retry, a rejection, a wait, a change
/// of the state. From the first call of this function on, every call lists its policies, and
/// successful calls are counted.
///
/// ```
/// use resilience::{Rejected, bulkhead, policies};
///
/// #[bulkhead(max = 4, name = "render_example")]
/// fn render() -> Result<u32, Rejected> {
///     Ok(7)
/// }
///
/// policies(); // from now on, each call is counted
/// render()?;
/// let report = policies().into_iter().find(|policy| policy.name == "render_example").unwrap();
/// assert_eq!(report.setting("max"), Some("4"));
/// assert_eq!(report.count("resilience.calls", &["admitted"]), 1);
/// # Ok::<(), Rejected>(())
/// ```
#[must_use]
pub fn policies() -> Vec<PolicyReport> {
    policies_matching("*")
}

/// Returns the policies whose names match a pattern, as [`policies`] does. A `*` in the pattern
/// stands for any text: `payments::*`.
#[must_use]
pub fn policies_matching(pattern: &str) -> Vec<PolicyReport> {
    count_successes();
    let entries = list::all();
    let matching = entries.iter().filter(|entry| {
        entry.with(|_, record| pattern::matches(pattern, record.name)).unwrap_or(false)
    });
    let mut reports: Vec<PolicyReport> = matching.filter_map(list::Entry::report).collect();
    names::mark(&mut reports);
    reports
}

/// Returns the figures of all policies, then the counters of dropped policies: name, kind and
/// figures. For exporters, which need neither settings nor keys.
#[must_use]
pub fn all_figures() -> Vec<(&'static str, PolicyKind, Vec<Figure>)> {
    count_successes();
    // Policies retire before their records are gone, so each policy is either held here, or among
    // the dropped ones.
    let mut held: Vec<_> =
        list::all().into_iter().filter_map(|entry| Some((entry.record()?, entry))).collect();
    let dropped = retired::retired_counters(|| held.retain(|(record, _)| !record.is_retired()));
    let figures = |(_, entry): &(Arc<Record>, list::Entry)| {
        entry.with(|policy, record| (record.name, record.kind, record.figures(policy)))
    };
    held.iter().filter_map(figures).chain(dropped).collect()
}

/// Returns the key with this label of a policy with a state per key.
///
/// The label is the text of `key_label`, or the digits in [`KeyReport::key`]. A text of `key_label`
/// that is cut or has control characters is found in both forms. The search reads the whole table
/// of keys.
#[must_use]
pub fn policy_key(name: &str, kind: PolicyKind, label: &str) -> Option<KeyReport> {
    let label = KeyLabel::new(label);
    let label = label.as_str();
    let of_key = |entry: list::Entry| {
        entry.with(|policy, record| {
            (record.name == name && record.kind == kind).then(|| policy?.key(label)).flatten()
        })?
    };
    list::all().into_iter().find_map(of_key)
}

/// Counts successful and admitted calls from now on, and lists each policy at its first call.
///
/// Without a reader the calls of a healthy process touch no shared memory, so a success is not
/// counted. [`policies`] and the exporters call this function.
pub fn count_successes() {
    static COUNTING: ModeChange = ModeChange::new();
    COUNTING.expect(mode::start_counting);
}
