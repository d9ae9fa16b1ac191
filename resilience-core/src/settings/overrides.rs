//! The overrides of one policy.

use core::fmt;
use core::time::Duration;

use resilience_rules::InvalidPolicy;
use resilience_rules::settings::Value;

use super::Adjustable;
use crate::duration::Exact;
use crate::registry::facts::Facts;
use crate::registry::{Setting, SettingOrigin};

/// The overrides of one policy: at most one for each key.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<Override>);

/// The value of a key in place of the value in the code.
#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub(crate) key: &'static str,
    pub(crate) value: Value,
    pub(crate) origin: SettingOrigin,
}

/// The reason against overrides of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The settings together break a rule.
    Rule(InvalidPolicy),
    /// The policy cannot change this setting.
    Fixed(&'static str, &'static str),
}

impl Refusal {
    /// Refuses a setting that would make an annotated function reject calls. A function that never
    /// rejects has no conversion from a rejection.
    pub(crate) const fn infallible(key: &'static str) -> Self {
        Self::Fixed(key, "the code never rejects a call, so the function has no way to reject")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(broken) => broken.fmt(f),
            Self::Fixed(key, reason) => write!(f, "`{key}` cannot be set here: {reason}"),
        }
    }
}

impl From<InvalidPolicy> for Refusal {
    fn from(broken: InvalidPolicy) -> Self {
        Self::Rule(broken)
    }
}

/// The settings of the code of a policy, which decide about overrides.
pub trait Check: fmt::Debug + Send + Sync {
    /// Checks overrides.
    fn check(&self, overrides: &Overrides) -> Result<(), Refusal>;

    /// Returns the effect with overrides; `None` for a policy that knows the settings in use.
    fn facts(&self, _overrides: &Overrides) -> Option<Facts> {
        None
    }
}

impl<T: Adjustable + fmt::Debug + Send + Sync> Check for T {
    fn check(&self, overrides: &Overrides) -> Result<(), Refusal> {
        self.adjusted(overrides).map(drop)
    }

    fn facts(&self, overrides: &Overrides) -> Option<Facts> {
        self.adjusted(overrides).ok()?.facts()
    }
}

/// The code of a policy without settings that can change.
#[derive(Debug)]
pub(crate) struct Unchangeable;

impl Check for Unchangeable {
    fn check(&self, _overrides: &Overrides) -> Result<(), Refusal> {
        Ok(())
    }
}

impl Overrides {
    /// Sets the value of a key, in place of an earlier value.
    pub(crate) fn set(&mut self, new: Override) {
        self.0.retain(|known| known.key != new.key);
        self.0.push(new);
    }

    /// Returns all overrides if the policy accepts them, and otherwise the switches that the policy
    /// accepts alone: an operator can switch off a policy that refuses a setting.
    pub(crate) fn accepted(self, accepts: impl Fn(&Self) -> bool) -> Self {
        if accepts(&self) { self } else { self.split(accepts).0 }
    }

    /// Splits refused overrides into the switches that the policy accepts alone, and the rest.
    pub(super) fn split(self, accepts: impl Fn(&Self) -> bool) -> (Self, Self) {
        let is_accepted =
            |known: &Override| is_switch(known.key) && accepts(&Self(vec![known.clone()]));
        let (accepted, ignored) = self.0.into_iter().partition(is_accepted);
        (Self(accepted), Self(ignored))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> {
        self.0.iter().map(|known| (known.key, known.value))
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        self.0.iter().find(|known| known.key == key).map(|known| known.value)
    }

    /// Returns whether the policy is switched on.
    pub(crate) fn is_enabled(&self) -> bool {
        self.get("enabled") != Some(Value::Flag(false))
    }

    /// Replaces the values and the origins in a report.
    pub(crate) fn mark(&self, settings: &mut Vec<Setting>) {
        for Override { key, value, origin } in &self.0 {
            let setting = Setting { name: key, value: text(*value), origin: *origin };
            match settings.iter_mut().find(|known| known.name == *key) {
                Some(known) => *known = setting,
                None => settings.push(setting),
            }
        }
    }
}

/// Returns whether a setting is a switch, which a policy follows beside settings that it refuses.
fn is_switch(key: &str) -> bool {
    matches!(key, "enabled" | "shadow")
}

/// Returns a value as in the attribute, without quotes.
pub(crate) fn text(value: Value) -> String {
    match value {
        Value::Count(count) => count.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Time(time) => Exact(time).to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Word(word) => word.to_owned(),
    }
}

/// The value in the form that a setting needs. The form was checked when the value was read, so
/// another form leaves a value as it is.
pub(crate) trait Put<T> {
    fn put(self, setting: &mut T);
}

impl Put<u32> for Value {
    fn put(self, setting: &mut u32) {
        if let Self::Count(count) = self {
            *setting = count;
        }
    }
}

impl Put<f64> for Value {
    fn put(self, setting: &mut f64) {
        if let Self::Number(number) = self {
            *setting = number;
        }
    }
}

impl Put<Duration> for Value {
    fn put(self, setting: &mut Duration) {
        if let Self::Time(time) = self {
            *setting = time;
        }
    }
}

impl Put<bool> for Value {
    fn put(self, setting: &mut bool) {
        if let Self::Flag(flag) = self {
            *setting = flag;
        }
    }
}

impl<T: Default> Put<Option<T>> for Value
where
    Self: Put<T>,
{
    fn put(self, setting: &mut Option<T>) {
        Put::<T>::put(self, setting.get_or_insert_default());
    }
}
