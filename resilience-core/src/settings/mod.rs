//! Overrides of the settings of the code, and control by name.
//!
//! One store holds the overrides of all policies, by name or pattern. A policy asks the store on
//! its cold path, and remembers the answer until the store changes. Therefore a policy that does
//! not exist yet, and a policy by hand, follow the store without a connection to the store.

mod apply;
mod control;
mod environment;
mod error;
#[cfg(feature = "settings")]
mod file;
mod history;
#[cfg(feature = "settings")]
mod json;
mod live;
mod overrides;
mod pending;
mod read;
mod store;

pub use self::control::{Action, Control, Controlled, control};
pub use self::environment::{load_environment, load_environment_from};
pub use self::error::{SettingsError, SettingsProblem};
#[cfg(feature = "settings")]
pub use self::file::{load_settings, load_settings_json, load_settings_toml};
pub use self::history::{SettingsChange, settings_history};
pub(crate) use self::live::{Adjustable, InUse, Live};
pub(crate) use self::overrides::Put;
pub(crate) use self::overrides::{Check, Overrides, Refusal, Unchangeable};
pub use self::pending::{PendingSetting, pending_settings};
pub use self::store::LoadedSettings;
pub(crate) use self::store::{apply_standing, is_off, overrides, version};
