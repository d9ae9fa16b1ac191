//! Control and settings by name.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod bad_input;
mod control;
mod every;
mod every_setting;
mod files;
mod limits;
mod live;
mod pending;
mod rates;
mod refused;
mod reload;
mod waiting_calls;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Held by a test that changes settings. A file and the environment are replaced as a whole, and
/// each change adjusts the policies of all tests at the time of the changing thread.
pub(crate) struct Alone(
    #[expect(dead_code, reason = "held until the end of the test")] MutexGuard<'static, ()>,
);

fn alone() -> Alone {
    static CHANGES: Mutex<()> = Mutex::new(());
    Alone(CHANGES.lock().unwrap_or_else(PoisonError::into_inner))
}

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Returns the value and the origin of a setting in the report of a policy.
fn reported(name: &str, setting: &str) -> Option<(String, resilience::SettingOrigin)> {
    let report = resilience::policies().into_iter().find(|policy| policy.name == name)?;
    let setting = report.settings.into_iter().find(|known| known.name == setting)?;
    Some((setting.value, setting.origin))
}
