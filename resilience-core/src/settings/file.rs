//! Settings from a TOML or JSON file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use resilience_rules::settings::{MAX_FILE, Raw, shown};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::SettingsError;
use super::json;
use super::read::Reader;
use super::store::{LoadedSettings, Target, replace};
use crate::registry::SettingOrigin;

/// Loads settings from a file, in place of those loaded before: TOML, or JSON if the name of the
/// file ends in `.json`. Call the function again to reload the file.
///
/// A table for each policy, by name or pattern, has a table for each attribute:
///
/// ```toml
/// ["payments::charge".retry]
/// attempts = 5
/// base_delay = "200ms"
///
/// ["payments::*".circuit_breaker]
/// failure_threshold = 10
/// ```
///
/// The longest pattern wins, and a name wins over patterns. Settings of a file win over those of
/// the code, and lose against the environment and [`control`](super::control).
///
/// ```no_run
/// resilience::load_settings("resilience.toml")?;
/// # Ok::<(), resilience::SettingsError>(())
/// ```
///
/// # Errors
/// [`SettingsError`] with all mistakes, also if the file cannot be read or is larger than 1 MiB.
/// Nothing has changed then. Each mistake has its line; in JSON the first 20 mistakes that need no
/// policy have a line.
pub fn load_settings(path: impl AsRef<Path>) -> Result<LoadedSettings, SettingsError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let text = read(path).map_err(|message| SettingsError::one(Some(name.clone()), message))?;
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        load_settings_json(&name, &text)
    } else {
        load_settings_toml(&name, &text)
    }
}

fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    // A further byte shows a file above the limit.
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    let read = file.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    check_size(bytes.len())?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

fn check_size(bytes: usize) -> Result<(), String> {
    if bytes > MAX_FILE {
        return Err(format!("settings are larger than {} MiB", MAX_FILE / 1024 / 1024));
    }
    Ok(())
}

/// Loads settings from a text in TOML, as [`load_settings`] does from a file. `name` stands for the
/// file in messages.
///
/// ```
/// let text = "[\"toml_example\".retry]\nattempts = 5";
/// let loaded = resilience::load_settings_toml("resilience.toml", text)?;
/// assert_eq!(loaded.settings, 1);
/// let text = "[\"toml_example\".retry]\nattempts = 0";
/// let error = resilience::load_settings_toml("resilience.toml", text).unwrap_err();
/// assert!(error.to_string().starts_with("resilience.toml:2: `retry.attempts` is 0"));
/// # Ok::<(), resilience::SettingsError>(())
/// ```
///
/// # Errors
/// As for [`load_settings`].
pub fn load_settings_toml(name: &str, text: &str) -> Result<LoadedSettings, SettingsError> {
    let at = |line: usize| Some(format!("{name}:{line}"));
    check_size(text.len()).map_err(|message| SettingsError::one(Some(name.to_owned()), message))?;
    let lines = Lines::of(text);
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.line(span.start));
        SettingsError::one(at(line), shown(error.message()))
    })?;
    let mut reader = Reader::default();
    for (policy, value) in document.get_ref() {
        let line = |at: usize| lines.line(at);
        let DeValue::Table(attributes) = value.get_ref() else {
            let message = format!(
                "`{}` is no table; write `[\"name of a policy\".retry]`",
                shown(policy.get_ref())
            );
            reader.problem(at(line(policy.span().start)), message);
            continue;
        };
        for (attribute, value) in attributes {
            let DeValue::Table(keys) = value.get_ref() else {
                let message = format!(
                    "`{}` is no table; write the settings below `[\"{}\".retry]`",
                    shown(attribute.get_ref()),
                    shown(policy.get_ref())
                );
                reader.problem(at(line(attribute.span().start)), message);
                continue;
            };
            if keys.is_empty() {
                reader.attribute(at(line(attribute.span().start)), attribute.get_ref());
            }
            for (key, value) in keys {
                let target = Target::Pattern(policy.get_ref().to_string());
                let source = at(line(key.span().start));
                reader.setting(source, target, attribute.get_ref(), key.get_ref(), raw(value));
            }
        }
    }
    replace(SettingOrigin::File, name, reader.finish()?)
}

fn raw<'v>(value: &'v Spanned<DeValue<'_>>) -> Raw<'v> {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            match i128::from_str_radix(&digits, number.radix()) {
                Ok(number) => Raw::Whole(number),
                Err(_) => Raw::Other("a number that is too large"),
            }
        }
        DeValue::Float(number) => match number.as_str().replace('_', "").parse() {
            Ok(number) => Raw::Number(number),
            Err(_) => Raw::Other("no number"),
        },
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("a list"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}

/// The starts of the lines of a text.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(index, _)| index + 1).collect())
    }

    /// Returns the line of a position, from 1.
    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at) + 1
    }
}

/// Loads settings from a text in JSON, as [`load_settings`] does from a file. `name` stands for the
/// file in messages.
///
/// ```
/// let text = r#"{ "json_example": { "retry": { "attempts": 5, "base_delay": "200ms" } } }"#;
/// let loaded = resilience::load_settings_json("resilience.json", text)?;
/// assert_eq!(loaded.settings, 2);
/// # Ok::<(), resilience::SettingsError>(())
/// ```
///
/// # Errors
/// As for [`load_settings`].
pub fn load_settings_json(name: &str, text: &str) -> Result<LoadedSettings, SettingsError> {
    check_size(text.len()).map_err(|message| SettingsError::one(Some(name.to_owned()), message))?;
    let mut reader = Reader::default();
    json::read(name, text, &mut reader)?;
    replace(SettingOrigin::File, name, reader.finish()?)
}
