//! Settings from the environment.

use std::env;

use resilience_rules::settings::{ENVIRONMENT_PREFIX, Raw, shown};

use super::error::SettingsError;
use super::read::Reader;
use super::store::{LoadedSettings, Target, replace};
use crate::registry::SettingOrigin;

/// Loads settings from the variables of the environment whose names begin with `RESILIENCE__`, in
/// place of those loaded before.
///
/// The rest of the name has the name of the policy, the attribute and the key, each separated by
/// two underscores: `RESILIENCE__PAYMENTS__CHARGE__RETRY__ATTEMPTS=2` sets `attempts` of the
/// `#[retry]` of `payments::charge`. The name of the policy is in capitals, with `__` for `::` and
/// `_` for any other character.
///
/// Settings of the environment win over those of a file, and lose against
/// [`control`](super::control).
///
/// ```
/// resilience::load_environment()?;
/// # Ok::<(), resilience::SettingsError>(())
/// ```
///
/// # Errors
/// [`SettingsError`] with all mistakes and the names of their variables. Nothing has changed then.
pub fn load_environment() -> Result<LoadedSettings, SettingsError> {
    let mut reader = Reader::default();
    for (name, value) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| is_setting(name)) else { continue };
        match value.to_str() {
            Some(value) => variable(&mut reader, name, value),
            None => reader.problem(Some(shown(name)), "the value is not UTF-8".to_owned()),
        }
    }
    replace(SettingOrigin::Environment, "environment", reader.finish()?)
}

/// Loads settings from variables, as [`load_environment`] does from those of the process. Other
/// variables are skipped.
///
/// ```
/// let variables = [("RESILIENCE__PAYMENTS__CHARGE__RETRY__ATTEMPTS", "2")];
/// let loaded = resilience::load_environment_from(variables)?;
/// assert_eq!(loaded.settings, 1);
/// # Ok::<(), resilience::SettingsError>(())
/// ```
///
/// # Errors
/// As for [`load_environment`].
pub fn load_environment_from<N: AsRef<str>, V: AsRef<str>>(
    variables: impl IntoIterator<Item = (N, V)>,
) -> Result<LoadedSettings, SettingsError> {
    let mut reader = Reader::default();
    for (name, value) in variables {
        if is_setting(name.as_ref()) {
            variable(&mut reader, name.as_ref(), value.as_ref());
        }
    }
    replace(SettingOrigin::Environment, "environment", reader.finish()?)
}

fn is_setting(name: &str) -> bool {
    name.get(..ENVIRONMENT_PREFIX.len())
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(ENVIRONMENT_PREFIX))
}

fn variable(reader: &mut Reader, variable: &str, value: &str) {
    let source = Some(shown(variable));
    let path = variable.get(ENVIRONMENT_PREFIX.len()..).unwrap_or_default();
    let mut parts = path.rsplitn(3, "__");
    let (Some(key), Some(of), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        let example = format!("{ENVIRONMENT_PREFIX}PAYMENTS__CHARGE__RETRY__ATTEMPTS");
        reader.problem(source, format!("expected policy, attribute and key, like `{example}`"));
        return;
    };
    let target = Target::Variable(name.to_uppercase());
    let (of, key) = (of.to_lowercase(), key.to_lowercase());
    if !reader.add_path(&format!("{}.{of}.{key}", target.text())) {
        let message = "another variable differs only in case; remove one".to_owned();
        reader.problem(source, message);
        return;
    }
    reader.setting(source, target, &of, &key, Raw::Plain(value));
}
