//! The controls of the page: a command, carried out by [`control`].

use resilience_core::__internal::parse_duration;
use resilience_core::{Action, Controlled, PolicyKind, control};
use serde::Deserialize;

/// A command of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    action: Verb,
    /// The name of the policies, or a pattern with `*`.
    name: String,
    /// The kind of the policies; all kinds without the field.
    kind: Option<PolicyKind>,
    /// The label of a key, for changes of the state.
    key: Option<String>,
    /// The time of a forced state, such as `10m`.
    #[serde(rename = "for")]
    time: Option<String>,
    /// The setting, such as `retry.attempts`.
    setting: Option<String>,
    /// The value of the setting, written as in the attribute without quotes.
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    ForceOpen,
    ForceClosed,
    Release,
    Reset,
    Drain,
    Disable,
    Enable,
    Shadow,
    Unshadow,
    Set,
    Unset,
}

impl Command {
    /// Carries out the command in the name of `author`.
    pub(super) fn apply(self, author: String) -> Result<Controlled, String> {
        let Self { action, name, kind, key, time, setting, value } = self;
        let time = time.as_deref().map(parse_duration).transpose();
        let time = time.map_err(|mistake| format!("`for`: {mistake}"))?;
        let mut target = control(&name).by(author);
        if let Some(kind) = kind {
            target = target.kind(kind);
        }
        if let Some(key) = key {
            target = target.key(key);
        }
        let act = match action {
            Verb::ForceOpen => Some(Action::ForceOpen),
            Verb::ForceClosed => Some(Action::ForceClosed),
            Verb::Release => Some(Action::Release),
            Verb::Reset => Some(Action::Reset),
            Verb::Drain => Some(Action::Drain),
            _ => None,
        };
        let controlled = match (action, act, time, setting, value) {
            (_, Some(action), time, None, None) => target.act(action, time),
            (Verb::Set, _, None, Some(setting), Some(value)) => target.set(&setting, &value),
            (Verb::Unset, _, None, Some(setting), None) => target.unset(&setting),
            (Verb::Disable, _, None, None, None) => target.disable(),
            (Verb::Enable, _, None, None, None) => target.enable(),
            (Verb::Shadow, _, None, None, None) => target.shadow(true),
            (Verb::Unshadow, _, None, None, None) => target.shadow(false),
            _ => return Err(FIELDS.to_owned()),
        };
        controlled.map_err(|mistake| mistake.to_string())
    }
}

/// The message for a field that an action lacks or does not take.
const FIELDS: &str = "`set` takes `setting` and `value`, `unset` takes `setting`, a forced state may \
                      take `for`, and the other actions take none of these fields";
