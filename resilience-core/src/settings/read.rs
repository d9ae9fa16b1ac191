//! Reads settings into entries of the store, and collects the mistakes.

use std::collections::HashSet;

use resilience_rules::settings::{self as rules, MAX_NAME, MAX_SETTINGS, Raw};

use super::error::{SettingsError, SettingsProblem};
use super::store::{Entry, Target};
use crate::registry::PolicyKind;

/// The entries and the mistakes so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    entries: Vec<Entry>,
    problems: Vec<SettingsProblem>,
    /// The paths of variables.
    paths: HashSet<String>,
}

impl Reader {
    /// Adds the path of a variable. Returns whether the path is new.
    pub(super) fn add_path(&mut self, path: &str) -> bool {
        self.paths.insert(path.to_owned())
    }

    pub(super) fn problem(&mut self, source: Option<String>, message: String) {
        self.problems.push(SettingsProblem { source, message });
    }

    /// Checks the name of an attribute without settings.
    #[cfg(feature = "settings")]
    pub(super) fn attribute(&mut self, source: Option<String>, of: &str) {
        if let Err(message) = rules::attribute(of) {
            self.problem(source, message);
        }
    }

    /// Returns the number of mistakes.
    #[cfg(feature = "settings")]
    pub(super) fn problems(&self) -> usize {
        self.problems.len()
    }

    /// Sets the place of the last setting, and of the mistakes after the first `before`.
    #[cfg(feature = "settings")]
    pub(super) fn locate_last(&mut self, before: usize, place: &str) {
        let problems = self.problems.get_mut(before..).unwrap_or_default();
        for problem in problems {
            problem.source = Some(place.to_owned());
        }
        if let Some(entry) = self.entries.last_mut() {
            entry.source.get_or_insert_with(|| place.to_owned());
        }
    }

    /// Reads a setting.
    pub(super) fn setting(
        &mut self,
        source: Option<String>,
        target: Target,
        of: &str,
        key: &str,
        raw: Raw<'_>,
    ) {
        if self.entries.len() >= MAX_SETTINGS {
            if self.problems.is_empty() {
                self.problem(source, format!("more than {MAX_SETTINGS} settings"));
            }
            return;
        }
        match entry(source.clone(), target, of, key, raw) {
            Ok(entry) => self.entries.push(entry),
            Err(message) => self.problem(source, message),
        }
    }

    /// Checks that no two names differ only in case.
    fn check_names(&mut self) {
        let mut names: Vec<_> = self
            .entries
            .iter()
            .map(|entry| (entry.target.text().to_lowercase(), entry.target.text(), &entry.source))
            .collect();
        names.sort();
        names.dedup_by(|second, first| second.1 == first.1);
        let pairs = names.windows(2).filter_map(|pair| match pair {
            [(first, one, _), (second, other, source)] if first == second => {
                let (one, other) = (rules::shown(one), rules::shown(other));
                Some(SettingsProblem {
                    source: (*source).clone(),
                    message: format!("`{one}` and `{other}` differ only in case; write one name"),
                })
            }
            _ => None,
        });
        let pairs: Vec<_> = pairs.collect();
        self.problems.extend(pairs);
    }

    /// Returns the entries, or all mistakes.
    pub(super) fn finish(mut self) -> Result<Vec<Entry>, SettingsError> {
        self.check_names();
        SettingsError::of(self.problems).map(|()| self.entries)
    }
}

/// Reads one setting.
pub(super) fn entry(
    source: Option<String>,
    target: Target,
    of: &str,
    key: &str,
    raw: Raw<'_>,
) -> Result<Entry, String> {
    name(target.text())?;
    let (key, value) = rules::read(of, key, raw)?;
    let kind = PolicyKind::ALL.iter().copied().find(|kind| kind.as_str() == of);
    let kind = kind.ok_or_else(|| format!("there is no attribute `{}`", rules::shown(of)))?;
    Ok(Entry { target, kind, key: key.name, value, source })
}

/// Checks a name or pattern.
pub(super) fn name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name of a policy is empty; write a name, or `*` for all".to_owned());
    }
    if name.len() > MAX_NAME {
        return Err(format!("a name of {} bytes is longer than {MAX_NAME} bytes", name.len()));
    }
    Ok(())
}
