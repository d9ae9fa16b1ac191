//! Control of policies by name.

use core::fmt;
use core::time::Duration;

use resilience_rules::settings::{MAX_SETTINGS, Raw, attribute, shown};

use super::error::SettingsError;
use super::overrides::text;
use super::store::{self, Entry, Standing, Target};
use super::{apply, history, read};
use crate::clock::now;
use crate::duration::Rounded;
use crate::keyed::KeyLabel;
use crate::registry::{PolicyKind, Record, list, pattern};

/// A change of the state of policies. See [`Control::act`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Action {
    /// A circuit breaker rejects all calls.
    ForceOpen,
    /// A circuit breaker admits all calls, without counting.
    ForceClosed,
    /// A circuit breaker is closed, from a forced state and any other state, and ends its recovery.
    Release,
    /// A circuit breaker and a rate limiter return to the initial state: closed, with a full burst.
    Reset,
    /// A rate limiter loses its permits. The permits come back at the rate.
    Drain,
}

impl Action {
    pub(super) fn suits(self, kind: PolicyKind) -> bool {
        match self {
            Self::ForceOpen | Self::ForceClosed | Self::Release => {
                kind == PolicyKind::CircuitBreaker
            }
            Self::Reset => matches!(kind, PolicyKind::CircuitBreaker | PolicyKind::RateLimit),
            Self::Drain => kind == PolicyKind::RateLimit,
        }
    }

    /// Returns the group of the action. A new action replaces another of its group.
    pub(super) const fn replaces(self) -> &'static str {
        match self {
            Self::ForceOpen | Self::ForceClosed | Self::Release => "state",
            Self::Reset => "reset",
            Self::Drain => "drain",
        }
    }

    pub(super) fn in_words(self, time: Option<Duration>) -> String {
        let action = match self {
            Self::ForceOpen => "force open",
            Self::ForceClosed => "force closed",
            Self::Release => "release",
            Self::Reset => "reset",
            Self::Drain => "drain",
        };
        time.map_or_else(|| action.to_owned(), |time| format!("{action} for {}", Rounded(time)))
    }

    /// Returns the policies that the action suits, in words.
    const fn suited(self) -> &'static str {
        match self {
            Self::ForceOpen | Self::ForceClosed | Self::Release => "circuit breakers",
            Self::Reset => "circuit breakers and rate limiters",
            Self::Drain => "rate limiters",
        }
    }
}

/// Controls the policies of a name: changes their settings and their state. A `*` in the name
/// stands for any text: `payments::*`.
///
/// A change reaches existing policies, and is kept for later ones. Until then the change is listed
/// by [`pending_settings`](super::pending_settings). The state of a policy is kept: a breaker half
/// through its window keeps the window when a threshold changes.
///
/// ```
/// use core::time::Duration;
/// use resilience::{Rejected, circuit_breaker, control};
///
/// #[circuit_breaker(name = "control_example")]
/// fn charge() -> Result<u32, Rejected> {
///     Ok(7)
/// }
///
/// control("control_example").by("ann").force_open_for(Duration::from_secs(600))?;
/// assert!(charge().is_err());
/// control("control_example").by("ann").release()?;
/// assert_eq!(charge(), Ok(7));
/// control("control_example").by("ann").set("circuit_breaker.failure_threshold", "3")?;
/// # Ok::<(), resilience::SettingsError>(())
/// ```
pub fn control(name: &str) -> Control {
    Control { target: name.to_owned(), kind: None, key: None, by: "program".to_owned() }
}

/// A change of policies by name. Made by [`control`].
#[derive(Clone, Debug)]
#[must_use = "nothing changes before the last method"]
pub struct Control {
    target: String,
    kind: Option<PolicyKind>,
    key: Option<String>,
    by: String,
}

/// The result of a [`Control`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Controlled {
    /// The number of policies that the change reached at once: of a setting, without the policies
    /// that refuse their settings. With zero, the change is pending.
    pub reached: usize,
    /// The names of policies by hand whose state cannot be reached: pass these policies to
    /// [`register`](crate::register).
    pub unreachable: Vec<&'static str>,
}

impl Controlled {
    /// Returns whether the change waits for the first policy.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.reached == 0 && self.unreachable.is_empty()
    }
}

impl Control {
    /// Sets the author, for [`settings_history`](super::settings_history) and the log. Default:
    /// `program`.
    pub fn by(mut self, author: impl Into<String>) -> Self {
        self.by = author.into();
        self
    }

    /// Restricts the change to policies of a kind.
    pub fn kind(mut self, kind: PolicyKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Restricts the change to a key of policies with a state per key: the label of
    /// [`KeyReport::key`](crate::KeyReport::key). For changes of the state only.
    pub fn key(mut self, label: impl Into<String>) -> Self {
        // Labels of keys are cut, and have no control characters.
        self.key = Some(KeyLabel::new(label.into()).as_str().to_owned());
        self
    }

    /// Changes a setting: `retry.attempts`, the attribute and the key. The value is written as in
    /// the attribute, without quotes: `5`, `0.5`, `"200ms"`, `true`.
    ///
    /// ```
    /// use resilience::control;
    ///
    /// control("set_example::*").set("retry.attempts", 5)?;
    /// control("set_example::*").set("retry.base_delay", "200ms")?;
    /// let error = control("set_example::*").set("retry.base_dely", "200ms").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`retry` has no setting `base_dely`; did you mean `base_delay`?"
    /// );
    /// # Ok::<(), resilience::SettingsError>(())
    /// ```
    ///
    /// # Errors
    /// [`SettingsError`]: an unknown key, a value out of range, a setting that cannot change. No
    /// setting has changed then.
    pub fn set(self, setting: &str, value: impl fmt::Display) -> Result<Controlled, SettingsError> {
        let (of, key) = self.path(setting)?;
        let new = self.entry(of, key, &value.to_string())?;
        let change = format!("{of}.{} = {}", new.key, text(new.value));
        self.change(&[new], change)
    }

    /// Removes a live setting, so that the value of the environment, the file or the code counts
    /// again.
    ///
    /// # Errors
    /// [`SettingsError`]: an unknown setting, or a rule broken without the live value.
    pub fn unset(self, setting: &str) -> Result<Controlled, SettingsError> {
        let (of, key) = self.path(setting)?;
        let target = Target::Pattern(self.target.clone());
        let is_it =
            |entry: &Entry| entry.target == target && entry.kind.as_str() == of && entry.key == key;
        let kind = store::update(|layers| {
            let live = core::mem::take(&mut layers.live);
            let (removed, kept): (Vec<_>, _) = live.into_iter().partition(is_it);
            layers.live = kept;
            removed.first().map(|entry| entry.kind).ok_or_else(|| {
                let message = format!("`{setting}` has no live value for `{}`", self.target);
                SettingsError::one(None, message)
            })
        })?;
        Ok(self.recorded(key, &[kind], format!("unset {setting}")))
    }

    /// Turns shadow mode on or off, of circuit breakers, bulkheads and rate limiters.
    ///
    /// # Errors
    /// [`SettingsError`]: the name is empty, or the kind has no shadow mode.
    pub fn shadow(self, is_on: bool) -> Result<Controlled, SettingsError> {
        let kinds = [PolicyKind::CircuitBreaker, PolicyKind::Bulkhead, PolicyKind::RateLimit];
        self.flags("shadow", is_on, &kinds)
    }

    /// Switches policies off: calls run as without the attribute. `#[idempotent]` and `#[fallback]`
    /// stay on.
    ///
    /// # Errors
    /// [`SettingsError`]: the name is empty, or the kind stays on.
    pub fn disable(self) -> Result<Controlled, SettingsError> {
        self.flags("enabled", false, SWITCHED)
    }

    /// Switches policies on.
    ///
    /// # Errors
    /// As for [`disable`](Self::disable).
    pub fn enable(self) -> Result<Controlled, SettingsError> {
        self.flags("enabled", true, SWITCHED)
    }

    /// Rejects all calls of circuit breakers until [`release`](Self::release).
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn force_open(self) -> Result<Controlled, SettingsError> {
        self.act(Action::ForceOpen, None)
    }

    /// Rejects all calls of circuit breakers for `time`; afterwards the breakers are closed.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn force_open_for(self, time: Duration) -> Result<Controlled, SettingsError> {
        self.act(Action::ForceOpen, Some(time))
    }

    /// Admits all calls of circuit breakers, without counting, until [`release`](Self::release).
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn force_closed(self) -> Result<Controlled, SettingsError> {
        self.act(Action::ForceClosed, None)
    }

    /// Admits all calls of circuit breakers, without counting, for `time`.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn force_closed_for(self, time: Duration) -> Result<Controlled, SettingsError> {
        self.act(Action::ForceClosed, Some(time))
    }

    /// Closes circuit breakers, also from a forced state, and ends their recovery.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn release(self) -> Result<Controlled, SettingsError> {
        self.act(Action::Release, None)
    }

    /// Returns circuit breakers and rate limiters to the initial state.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn reset(self) -> Result<Controlled, SettingsError> {
        self.act(Action::Reset, None)
    }

    /// Takes all permits of rate limiters. The permits come back at the rate.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn drain(self) -> Result<Controlled, SettingsError> {
        self.act(Action::Drain, None)
    }

    /// Changes the state of policies. Only a forced state has a `time`, after which a breaker is
    /// closed.
    ///
    /// # Errors
    /// [`SettingsError`]: the name is empty, the time is zero, the policies of the name are of
    /// other kinds, or all of them are policies by hand that were not
    /// [registered](crate::register).
    pub fn act(self, action: Action, time: Option<Duration>) -> Result<Controlled, SettingsError> {
        let fail = |message: String| Err(SettingsError::one(None, message));
        if let Err(message) = read::name(&self.target) {
            return fail(message);
        }
        let has_time = matches!(action, Action::ForceOpen | Action::ForceClosed);
        match time {
            Some(time) if time.is_zero() => {
                return fail("the time of a forced state is zero; write a longer time".to_owned());
            }
            Some(_) if !has_time => {
                return fail(format!("`{}` takes no time", action.in_words(None)));
            }
            _ => {}
        }
        if let Some(kind) = self.kind.filter(|kind| !action.suits(*kind)) {
            let (action, suited) = (action.in_words(None), action.suited());
            return fail(format!("`{action}` is for {suited}, not for `{kind}`"));
        }
        let known = apply::known();
        let mut named = known.iter().filter(|(kind, name)| self.is_named(*kind, name)).peekable();
        if named.peek().is_some() && named.all(|(kind, _)| !action.suits(*kind)) {
            let (action, suited) = (action.in_words(None), action.suited());
            let target = shown(&self.target);
            return fail(format!("`{action}` is for {suited}, and `{target}` names none"));
        }
        if let Some(name) = self.unreachable(action) {
            return fail(format!(
                "the state of `{name}` cannot be reached: pass the policy to `register`"
            ));
        }
        // Stored first: a policy that appears meanwhile finds the action, or is in the list.
        self.stand(action, time)?;
        let mut controlled = Controlled::default();
        for entry in list::all() {
            entry.with(|policy, record| {
                if !self.is_for(action, record) {
                    return;
                }
                match policy {
                    None => controlled.unreachable.push(record.name),
                    Some(policy) => {
                        let is_there = apply::act(policy, action, time, self.key.as_deref());
                        controlled.reached += usize::from(is_there);
                    }
                }
            });
        }
        if controlled.reached == 0 && matches!(action, Action::Reset | Action::Drain) {
            store::stand(self.standing(action, None, true))?;
        }
        let change = match &self.key {
            Some(key) => {
                let key = shown(key);
                format!("{} of key {key}", action.in_words(time))
            }
            None => action.in_words(time),
        };
        history::add(&self.by, &self.target, change, controlled.reached);
        Ok(controlled)
    }

    /// Returns whether the action is for a policy.
    fn is_for(&self, action: Action, record: &Record) -> bool {
        self.is_named(record.kind, record.name) && action.suits(record.kind)
    }

    fn is_named(&self, kind: PolicyKind, name: &str) -> bool {
        self.kind.is_none_or(|of| of == kind) && pattern::matches(&self.target, name)
    }

    /// Returns a policy whose state cannot be reached, if that is so of all policies of the name.
    fn unreachable(&self, action: Action) -> Option<&'static str> {
        let mut unreachable = None;
        for entry in list::all() {
            let meant = entry.with(|policy, record| {
                self.is_for(action, record).then_some((policy.is_some(), record.name))
            });
            match meant.flatten() {
                Some((true, _)) => return None,
                Some((false, name)) => unreachable = Some(name),
                None => {}
            }
        }
        unreachable
    }

    /// Keeps a forced state for policies and keys that appear later.
    fn stand(&self, action: Action, time: Option<Duration>) -> Result<(), SettingsError> {
        match action {
            Action::ForceOpen | Action::ForceClosed => {
                let until = time.map(|time| now().plus(time));
                store::stand(self.standing(action, until, false))?;
            }
            Action::Release => store::release(self.standing(action, None, false))?,
            Action::Reset | Action::Drain => {}
        }
        Ok(())
    }

    fn standing(
        &self,
        action: Action,
        until: Option<crate::clock::Timestamp>,
        is_once: bool,
    ) -> Standing {
        let (target, key) = (self.target.clone(), self.key.clone());
        Standing { target, kind: self.kind, key, action, until, is_once }
    }

    /// Returns the attribute and the key of a setting.
    fn path<'p>(&self, setting: &'p str) -> Result<(&'static str, &'p str), SettingsError> {
        self.expect_no_key()?;
        let fail = |message: String| SettingsError::one(None, message);
        let (of, key) = setting.split_once('.').ok_or_else(|| {
            let setting = shown(setting);
            fail(format!("`{setting}` is no setting; write `retry.attempts`"))
        })?;
        let of = attribute(of).map_err(fail)?;
        if let Some(kind) = self.kind.filter(|kind| kind.as_str() != of) {
            return Err(fail(format!("`{of}` is not of the kind `{kind}`")));
        }
        Ok((of, key))
    }

    fn expect_no_key(&self) -> Result<(), SettingsError> {
        match self.key {
            Some(_) => Err(SettingsError::one(None, "settings have no keys; remove `key`")),
            None => Ok(()),
        }
    }

    fn entry(&self, of: &str, key: &str, value: &str) -> Result<Entry, SettingsError> {
        let target = Target::Pattern(self.target.clone());
        let entry = read::entry(None, target, of, key, Raw::Plain(value));
        entry.map_err(|message| SettingsError::one(None, message))
    }

    fn flags(
        self,
        key: &'static str,
        is_on: bool,
        kinds: &[PolicyKind],
    ) -> Result<Controlled, SettingsError> {
        self.expect_no_key()?;
        let value = if is_on { "true" } else { "false" };
        let kinds: Vec<_> = match self.kind {
            Some(kind) => vec![kind],
            None => kinds.to_vec(),
        };
        let entries = kinds.iter().map(|kind| self.entry(kind.as_str(), key, value));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        self.change(&entries, format!("{key} = {value}"))
    }

    /// Stores live settings, after a check with the known policies.
    fn change(self, new: &[Entry], change: String) -> Result<Controlled, SettingsError> {
        let kinds: Vec<_> = new.iter().map(|entry| entry.kind).collect();
        store::update(|layers| {
            for entry in new {
                layers.live.retain(|known| {
                    (&known.target, known.kind, known.key) != (&entry.target, entry.kind, entry.key)
                });
                layers.live.push(entry.clone());
            }
            if layers.live.len() > MAX_SETTINGS {
                let message =
                    format!("more than {MAX_SETTINGS} live settings; remove some by `unset`");
                return Err(SettingsError::one(None, message));
            }
            Ok(())
        })?;
        let key = new.first().map_or("", |entry| entry.key);
        Ok(self.recorded(key, &kinds, change))
    }

    /// Adds a change of the setting `key` to the history, and returns the number of policies of
    /// these kinds that it reached.
    fn recorded(&self, key: &str, kinds: &[PolicyKind], change: String) -> Controlled {
        let accepting = apply::accepting(key);
        let named = accepting
            .iter()
            .filter(|(kind, name)| kinds.contains(kind) && pattern::matches(&self.target, name));
        let controlled = Controlled { reached: named.count(), unreachable: Vec::new() };
        history::add(&self.by, &self.target, change, controlled.reached);
        controlled
    }
}

/// The kinds that can be switched off.
const SWITCHED: &[PolicyKind] = &[
    PolicyKind::Retry,
    PolicyKind::CircuitBreaker,
    PolicyKind::Timeout,
    PolicyKind::Bulkhead,
    PolicyKind::RateLimit,
    PolicyKind::Coalesce,
    PolicyKind::Hedge,
];
