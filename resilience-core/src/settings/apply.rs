//! Checks settings against the listed policies, and passes changes on to them.

use core::time::Duration;

use super::control::Action;
use super::error::{SettingsError, SettingsProblem};
use super::store::{Entry, Layers};
use crate::registry::{Policy, PolicyKind, list};
use crate::switch;

/// Returns the listed policies.
pub(super) fn known() -> Vec<(PolicyKind, &'static str)> {
    let identity = |entry: &list::Entry| entry.with(|_, record| (record.kind, record.name));
    list::all().iter().filter_map(identity).collect()
}

/// Checks the settings with each listed policy that a changed setting names. Another policy may
/// refuse an earlier setting since the first call of its function, and does not block the change.
pub(super) fn check(layers: &Layers, changed: &[&[Entry]]) -> Result<(), SettingsError> {
    let mut problems: Vec<SettingsProblem> = Vec::new();
    for entry in list::all() {
        entry.with(|_, record| {
            let mut changed = changed.iter().copied().flatten();
            if !changed.any(|entry| entry.is_for(record.kind, record.name)) {
                return;
            }
            let overrides = layers.overrides(record.kind, record.name);
            let Err(refusal) = record.check(&overrides) else { return };
            let mut source = None;
            // The strongest setting of the policy that the message names.
            let text = refusal.to_string();
            for (_, entry) in layers.entries() {
                let is_named = text.contains(&format!("`{}`", entry.key));
                if entry.is_for(record.kind, record.name) && is_named {
                    source.clone_from(&entry.source);
                }
            }
            let message = format!("`{}` ({}): {text}", record.name, record.kind);
            let problem = SettingsProblem { source, message };
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
