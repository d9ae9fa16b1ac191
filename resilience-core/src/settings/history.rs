//! The last changes of settings and states by name.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use resilience_rules::settings::{MAX_HISTORY, shown};

/// A change by name. Returned by [`settings_history`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SettingsChange {
    /// The time of the change, by the clock of the system.
    pub at: SystemTime,
    /// The author: [`Control::by`](super::Control::by), a file, or `environment`.
    pub by: String,
    /// The name or pattern.
    pub target: String,
    /// The change, such as `retry.attempts = 5` or `force open for 10m`.
    pub change: String,
    /// The number of policies that the change reached at once.
    pub reached: usize,
}

static HISTORY: Mutex<VecDeque<SettingsChange>> = Mutex::new(VecDeque::new());

/// Returns the last 100 changes of settings and states by name, oldest first.
///
/// ```
/// use resilience::{control, settings_history};
///
/// control("history_example").by("ann").set("retry.attempts", "5")?;
/// let last = settings_history().pop().unwrap();
/// assert_eq!((last.by.as_str(), last.change.as_str()), ("ann", "retry.attempts = 5"));
/// # Ok::<(), resilience::SettingsError>(())
/// ```
#[must_use]
pub fn settings_history() -> Vec<SettingsChange> {
    let history = HISTORY.lock().unwrap_or_else(PoisonError::into_inner);
    history.iter().cloned().collect()
}

pub(super) fn add(by: &str, target: &str, change: String, reached: usize) {
    let (by, target) = (shown(by), shown(target));
    crate::log::settings_changed(&by, &target, &change, reached);
    let mut history = HISTORY.lock().unwrap_or_else(PoisonError::into_inner);
    if history.len() >= MAX_HISTORY {
        history.pop_front();
    }
    history.push_back(SettingsChange { at: SystemTime::now(), by, target, change, reached });
}
