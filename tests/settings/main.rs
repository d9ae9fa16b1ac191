//! Control and settings by name.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod bad_input;
mod control;
mod every;
mod every_setting;
mod files;
mod live;
mod reload;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by tests that load a file or the environment: both are replaced as a whole.
static LOADS: Mutex<()> = Mutex::new(());

fn loads() -> MutexGuard<'static, ()> {
    LOADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the value and the origin of a setting in the report of a policy.
fn reported(name: &str, setting: &str) -> Option<(String, resilience::SettingOrigin)> {
    let report = resilience::policies().into_iter().find(|policy| policy.name == name)?;
    let setting = report.settings.into_iter().find(|known| known.name == setting)?;
    Some((setting.value, setting.origin))
}
