//! The store of all overrides, by name or pattern.

use core::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resilience_rules::settings::{MAX_SETTINGS, Value};

use super::control::Action;
use super::error::SettingsError;
use super::overrides::{Override, Overrides, Refusal};
use super::{apply, history};
use crate::clock::{Timestamp, now};
use crate::log::{self, Level};
use crate::mode;
use crate::registry::{PolicyKind, Record, SettingOrigin, pattern};
use crate::switch;

/// The policies of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A name, or a pattern with `*`.
    Pattern(String),
    /// The part of a variable of the environment, in capitals.
    Variable(String),
}

impl Target {
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern::matches(pattern, name),
            Self::Variable(part) => is_spelled(part, name),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Pattern(text) | Self::Variable(text) => text,
        }
    }

    /// Orders targets from the least to the most specific: patterns by length, then names.
    fn specificity(&self) -> (bool, usize) {
        match self {
            Self::Variable(part) => (true, part.len()),
            Self::Pattern(text) => {
                let stars = text.matches('*').count();
                (stars == 0, text.len() - stars)
            }
        }
    }
}

/// Returns whether a name is spelled like this in a variable: in capitals, `__` for `::`, and `_`
/// for any other character.
fn is_spelled(part: &str, name: &str) -> bool {
    let spelled = name
        .replace("::", "__")
        .chars()
        .flat_map(char::to_uppercase)
        .map(|char| if char.is_alphanumeric() { char } else { '_' })
        .collect::<String>();
    part == spelled
}

/// A setting of some policies.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) target: Target,
    pub(super) kind: PolicyKind,
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// The file and the line, or the variable.
    pub(super) source: Option<String>,
}

impl Entry {
    /// Returns whether the setting is for a policy of this kind and name.
    pub(super) fn is_for(&self, kind: PolicyKind, name: &str) -> bool {
        self.kind == kind && self.target.matches(name)
    }
}

/// An action on policies that may not exist yet.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) target: String,
    pub(super) kind: Option<PolicyKind>,
    pub(super) key: Option<String>,
    pub(super) action: Action,
    /// The end of a state with an expiry.
    pub(super) until: Option<Timestamp>,
    /// Whether the action ends with the first policy.
    pub(super) is_once: bool,
}

impl Standing {
    /// Returns whether the forced state has ended.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= at)
    }
}

/// The settings of all origins.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    pub(super) file: Vec<Entry>,
    pub(super) environment: Vec<Entry>,
    /// In the order of the changes.
    pub(super) live: Vec<Entry>,
}

impl Layers {
    const fn new() -> Self {
        Self { file: Vec::new(), environment: Vec::new(), live: Vec::new() }
    }

    /// Returns all entries, from the weakest to the strongest.
    pub(super) fn entries(&self) -> impl Iterator<Item = (SettingOrigin, &Entry)> {
        let file = self.file.iter().map(|entry| (SettingOrigin::File, entry));
        let environment = self.environment.iter().map(|entry| (SettingOrigin::Environment, entry));
        let live = self.live.iter().map(|entry| (SettingOrigin::Live, entry));
        file.chain(environment).chain(live)
    }

    /// Returns the overrides of a policy.
    pub(super) fn overrides(&self, kind: PolicyKind, name: &str) -> Overrides {
        let mut overrides = Overrides::default();
        for (origin, entry) in self.entries() {
            if entry.is_for(kind, name) {
                overrides.set(Override { key: entry.key, value: entry.value, origin });
            }
        }
        overrides
    }

    /// Returns the reason of a policy against its settings, and the settings that it ignores.
    pub(super) fn refusal_of(&self, record: &Record) -> Option<(Refusal, Overrides)> {
        let all = self.overrides(record.kind, record.name);
        let refusal = record.check(&all).err()?;
        let (_, ignored) = all.split(|some| record.check(some).is_ok());
        Some((refusal, ignored))
    }

    /// Replaces a layer. The more specific entries come last, and win.
    fn replace(&mut self, origin: SettingOrigin, mut entries: Vec<Entry>) {
        entries.sort_by_key(|entry| entry.target.specificity());
        *match origin {
            SettingOrigin::File => &mut self.file,
            SettingOrigin::Environment => &mut self.environment,
            SettingOrigin::Live | SettingOrigin::Code => &mut self.live,
        } = entries;
    }
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) layers: Layers,
    pub(super) standing: Vec<Standing>,
}

static STORE: Mutex<Store> = Mutex::new(Store { layers: Layers::new(), standing: Vec::new() });

/// The number of changes of the store.
static VERSION: AtomicU64 = AtomicU64::new(0);

/// Held while a change is checked and stored, so that no change is lost. Not held while policies
/// take the change over.
static CHANGES: Mutex<()> = Mutex::new(());

pub(super) fn store() -> MutexGuard<'static, Store> {
    STORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the version of the store.
#[inline]
pub(crate) fn version() -> u64 {
    VERSION.load(Acquire)
}

/// Returns the overrides of a policy, and their version.
pub(crate) fn overrides(kind: PolicyKind, name: &str) -> (u64, Overrides) {
    let store = store();
    (version(), store.layers.overrides(kind, name))
}

/// Returns whether a policy is switched off, by name or with all policies.
pub(crate) fn is_off(kind: PolicyKind, name: &str) -> bool {
    let is_off = || !overrides(kind, name).1.is_enabled();
    !switch::is_enabled() || mode::has_settings() && is_off()
}

/// Stores new settings.
fn put(layers: Layers) {
    let mut store = store();
    store.layers = layers;
    VERSION.fetch_add(1, Release);
    mode::set_has_settings();
}

impl Store {
    /// Removes the actions that are over, or that a new action replaces: of the same kind, on the
    /// same policies.
    fn end_replaced(&mut self, new: &Standing) {
        let at = now();
        self.standing.retain(|known| {
            let is_other = (&known.target, known.kind, &known.key)
                != (&new.target, new.kind, &new.key)
                || known.action.replaces() != new.action.replaces();
            is_other && !known.is_over(at)
        });
    }

    fn stand(&mut self, new: Standing) -> Result<(), SettingsError> {
        if self.standing.len() >= MAX_SETTINGS {
            let message = format!("more than {MAX_SETTINGS} forced states; end some by `release`");
            return Err(SettingsError::one(None, message));
        }
        self.standing.push(new);
        VERSION.fetch_add(1, Release);
        mode::set_has_settings();
        Ok(())
    }
}

/// Stores an action on policies that may not exist yet, in place of the actions that it replaces.
pub(super) fn stand(new: Standing) -> Result<(), SettingsError> {
    let mut store = store();
    store.end_replaced(&new);
    store.stand(new)
}

/// Ends a forced state that stands for policies. The release itself stands only beside a forced
/// state of other patterns, which may be for the same policies.
pub(super) fn release(new: Standing) -> Result<(), SettingsError> {
    let is_forced =
        |known: &Standing| matches!(known.action, Action::ForceOpen | Action::ForceClosed);
    let mut store = store();
    store.end_replaced(&new);
    if store.standing.iter().any(is_forced) {
        store.stand(new)
    } else {
        store.standing.retain(|known| known.action != Action::Release);
        Ok(())
    }
}

/// Applies the actions that stand for a policy that has just appeared. Called without a lock.
pub(crate) fn apply_standing(policy: &dyn crate::registry::Policy) {
    if !mode::has_settings() {
        return;
    }
    let (name, kind, at) = (policy.name(), policy.kind(), now());
    let mut due = Vec::new();
    store().standing.retain(|known| {
        let is_over = known.is_over(at);
        let is_meant = pattern::matches(&known.target, name)
            && known.kind.is_none_or(|of| of == kind)
            && known.action.suits(kind);
        if is_meant && !is_over {
            due.push(known.clone());
        }
        !(is_over || is_meant && known.is_once)
    });
    for Standing { action, until, key, .. } in due {
        let rest = until.map(|until| until.since(at));
        apply::act(policy, action, rest, key.as_deref());
    }
}

/// The result of [`load_environment`](super::load_environment) and of the functions that load a
/// file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LoadedSettings {
    /// The number of settings.
    pub settings: usize,
    /// The names and patterns that match no listed policy: spelled wrong, or not called yet. The
    /// settings take effect once a policy of the name appears.
    pub unmatched: Vec<String>,
}

/// Edits the settings: checks the new settings with the known policies, and then stores all of them
/// or none.
pub(super) fn update<T>(
    edit: impl FnOnce(&mut Layers) -> Result<T, SettingsError>,
) -> Result<T, SettingsError> {
    let changing = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
    let before = store().layers.clone();
    let mut after = before.clone();
    let edited = edit(&mut after)?;
    apply::check(&before, &after)?;
    put(after);
    drop(changing);
    apply::refresh_all();
    Ok(edited)
}

/// Replaces the settings of a file or of the environment.
pub(super) fn replace(
    origin: SettingOrigin,
    by: &str,
    entries: Vec<Entry>,
) -> Result<LoadedSettings, SettingsError> {
    let entries = update(|layers| {
        layers.replace(origin, entries);
        let of_origin = layers.entries().filter(|(of, _)| *of == origin);
        Ok(of_origin.map(|(_, entry)| entry.clone()).collect::<Vec<_>>())
    })?;
    let mut loaded = LoadedSettings { settings: entries.len(), unmatched: Vec::new() };
    let known = apply::known();
    for entry in &entries {
        let is_known = known.iter().any(|(kind, name)| entry.is_for(*kind, name));
        let text = format!("{}.{}", entry.target.text(), entry.kind);
        if !is_known && !loaded.unmatched.contains(&text) {
            loaded.unmatched.push(text);
        }
    }
    history::add(by, "*", format!("{} settings loaded", loaded.settings), known.len());
    if !loaded.unmatched.is_empty() {
        // Before the first policy no name has one, and the event says nothing about mistakes.
        let level = if known.is_empty() { Level::Info } else { Level::Warn };
        log::settings_unmatched(by, &loaded.unmatched, level);
    }
    Ok(loaded)
}
