//! The settings that can change, the settings that wait for a policy, and the history of changes.

use std::collections::BTreeMap;

use resilience_core::__internal::setting_keys;
use resilience_core::{
    PendingSetting, PolicyKind, SettingsChange, pending_settings, settings_history,
};
use serde::Serialize;

/// The answer about settings.
#[derive(Serialize)]
pub(super) struct Settings {
    /// The keys of each kind of policies that can change at run time.
    keys: BTreeMap<&'static str, Vec<Key>>,
    pending: Vec<PendingSetting>,
    /// The last changes, newest first.
    history: Vec<SettingsChange>,
}

/// A key with the form of its values.
#[derive(Serialize)]
struct Key {
    name: &'static str,
    /// The form in words, for people.
    expects: String,
    /// All values, for a key with a few words.
    choices: &'static [&'static str],
}

impl Settings {
    pub(super) fn now() -> Self {
        let keys_of = |kind: &PolicyKind| {
            let keys = setting_keys(kind.as_str()).iter();
            let keys = keys.map(|key| Key {
                name: key.name,
                expects: key.expects(),
                choices: key.choices(),
            });
            (kind.as_str(), keys.collect())
        };
        let mut history = settings_history();
        history.reverse();
        Self {
            keys: PolicyKind::ALL.iter().map(keys_of).collect(),
            pending: pending_settings(),
            history,
        }
    }
}
