//! Settings and actions without a policy.

use resilience_rules::settings::Value;

use super::apply;
use super::overrides::text;
use super::store::{Entry, store};
use crate::clock::now;
use crate::registry::{PolicyKind, SettingOrigin, list, pattern};

/// A setting or an action that no policy follows. Returned by [`pending_settings`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PendingSetting {
    /// The name or pattern; for a variable of the environment, the part of its name.
    pub target: String,
    /// The kind of the policies; `None` for any kind.
    pub kind: Option<PolicyKind>,
    /// The setting or the action, such as `attempts = 5` or `force open`.
    pub change: String,
    /// The origin.
    pub origin: SettingOrigin,
    /// The file with the line, or the variable.
    pub source: Option<String>,
    /// The reason of a policy that appeared later and cannot follow. `None` without a policy of
    /// the name.
    pub problem: Option<String>,
}

/// Returns the settings and actions that no policy follows: the name is spelled wrong, no function
/// of the name was called yet, or the policy refuses the value.
///
/// ```
/// use resilience::{control, pending_settings};
///
/// control("pending_example").set("timeout.limit", "2s")?;
/// let pending = pending_settings();
/// let timeout = pending.iter().find(|pending| pending.target == "pending_example").unwrap();
/// assert_eq!(timeout.change, "limit = 2s");
/// # Ok::<(), resilience::SettingsError>(())
/// ```
#[must_use]
pub fn pending_settings() -> Vec<PendingSetting> {
    let known = apply::known();
    let (layers, standing) = {
        let store = store();
        (store.layers.clone(), store.standing.clone())
    };
    let mut refused = Vec::new();
    for entry in list::all() {
        entry.with(|_, record| {
            if let Some((refusal, ignored)) = layers.refusal_of(record) {
                refused.push((record.kind, record.name, ignored, refusal.to_string()));
            }
        });
    }
    let mut pending = Vec::new();
    for (origin, entry) in layers.entries() {
        let is_meant = |kind, name| entry.is_for(kind, name);
        // `disable` and `shadow` set one flag for several kinds. One policy of the name suffices.
        let is_one_change = |kind: PolicyKind| {
            let is_same = |other: &Entry| (&other.target, other.key) == (&entry.target, entry.key);
            let is_flag = origin == SettingOrigin::Live && matches!(entry.value, Value::Flag(_));
            is_flag && layers.live.iter().any(|other| other.kind == kind && is_same(other))
        };
        let is_known = known.iter().any(|(kind, name)| {
            is_meant(*kind, name) || entry.target.matches(name) && is_one_change(*kind)
        });
        let problem = refused.iter().find(|(kind, name, ignored, _)| {
            is_meant(*kind, name) && ignored.get(entry.key).is_some()
        });
        if !is_known || problem.is_some() {
            pending.push(PendingSetting {
                target: entry.target.text().to_owned(),
                kind: Some(entry.kind),
                change: format!("{} = {}", entry.key, text(entry.value)),
                origin,
                source: entry.source.clone(),
                problem: problem.map(|(.., reason)| reason.clone()),
            });
        }
    }
    let at = now();
    for known_action in standing {
        let is_over = known_action.is_over(at);
        let is_known = known.iter().any(|(kind, name)| {
            known_action.kind.is_none_or(|of| of == *kind)
                && known_action.action.suits(*kind)
                && pattern::matches(&known_action.target, name)
        });
        if !is_over && !is_known {
            let rest = known_action.until.map(|until| until.since(at));
            pending.push(PendingSetting {
                target: known_action.target,
                kind: known_action.kind,
                change: known_action.action.in_words(rest),
                origin: SettingOrigin::Live,
                source: None,
                problem: None,
            });
        }
    }
    pending
}
