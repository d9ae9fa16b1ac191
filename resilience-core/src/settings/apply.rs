//! Checks settings against the listed policies, and passes changes on to them.

use core::time::Duration;

use super::control::Action;
use super::error::{SettingsError, SettingsProblem};
use super::store::{self, Layers};
use crate::registry::{Policy, PolicyKind, Record, list};
use crate::switch;

/// Returns the listed policies.
pub(super) fn known() -> Vec<(PolicyKind, &'static str)> {
    let identity = |entry: &list::Entry| entry.with(|_, record| (record.kind, record.name));
    list::all().iter().filter_map(identity).collect()
}

/// Returns the listed policies that do not ignore the stored value of a key.
pub(super) fn accepting(key: &str) -> Vec<(PolicyKind, &'static str)> {
    let layers = store::store().layers.clone();
    let accepting = |record: &Record| {
        let ignored = layers.refusal_of(record).map(|(_, ignored)| ignored);
        let accepts = ignored.is_none_or(|ignored| ignored.get(key).is_none());
        accepts.then_some((record.kind, record.name))
    };
    list::all().iter().filter_map(|entry| entry.with(|_, record| accepting(record))?).collect()
}

/// Checks changed settings with each listed policy. A policy that refuses the settings before the
/// change, since the first call of its function, does not block the change.
pub(super) fn check(before: &Layers, after: &Layers) -> Result<(), SettingsError> {
    let mut problems: Vec<SettingsProblem> = Vec::new();
    for entry in list::all() {
        entry.with(|_, record| {
            let Some((refusal, _)) = after.refusal_of(record) else { return };
            if before.refusal_of(record).is_some() {
                return;
            }
            let (kind, name) = (record.kind, record.name);
            let mut source = None;
            // The strongest setting of the policy that the message names.
            let text = refusal.to_string();
            for (_, entry) in after.entries() {
                if entry.is_for(kind, name) && text.contains(&format!("`{}`", entry.key)) {
                    source.clone_from(&entry.source);
                }
            }
            let problem = SettingsProblem { source, message: format!("`{name}` ({kind}): {text}") };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        });
    }
    SettingsError::of(problems)
}

/// Tells all listed policies that the store has changed. The waiting calls of the other policies,
/// such as policies per key, tell their policies.
pub(super) fn refresh_all() {
    for entry in list::all() {
        entry.with(|policy, _| policy.inspect(|policy| policy.refresh()).is_some());
    }
    switch::wake_waiting_calls();
}

/// Acts on one policy. Returns whether the policy, or a key of the policy, was there.
pub(super) fn act(
    policy: &dyn Policy,
    action: Action,
    time: Option<Duration>,
    key: Option<&str>,
) -> bool {
    match key {
        Some(label) => policy.control_key(label, action, time),
        None => policy.control(action, time),
    }
}
