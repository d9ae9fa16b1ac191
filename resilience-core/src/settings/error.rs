//! The error of settings.

use core::fmt;

/// Settings that were refused, with all mistakes. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<SettingsProblem>,
}

/// A mistake in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SettingsProblem {
    /// The file with the line, as in `resilience.toml:4`, or the variable of the environment. JSON
    /// has lines for the first mistakes only.
    pub source: Option<String>,
    /// The mistake and the fix.
    pub message: String,
}

/// The largest number of mistakes in a message.
const SHOWN: usize = 20;

impl SettingsError {
    pub(super) fn of(problems: Vec<SettingsProblem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    pub(super) fn one(source: Option<String>, message: impl Into<String>) -> Self {
        Self { problems: vec![SettingsProblem { source, message: message.into() }] }
    }

    /// Returns the mistakes.
    #[must_use]
    pub fn problems(&self) -> &[SettingsProblem] {
        &self.problems
    }
}

impl fmt::Display for SettingsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.problems.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\nand {more} more"),
        }
    }
}

impl core::error::Error for SettingsError {}
