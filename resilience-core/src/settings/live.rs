//! The settings in use of one policy.

use core::ops::Deref;
use core::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::{Overrides, Refusal, overrides, version};
use crate::mode;
use crate::registry::PolicyKind;
use crate::registry::facts::Facts;

/// Settings that overrides can change.
pub(crate) trait Adjustable: Sized {
    /// Returns the settings of the code with overrides.
    fn adjusted(&self, overrides: &Overrides) -> Result<Self, Refusal>;

    /// Returns the effect of these settings; `None` for a policy that knows the settings in use.
    fn facts(&self) -> Option<Facts> {
        None
    }
}

/// The overridden settings of a policy, as of a version of the store.
#[derive(Debug)]
pub(crate) struct Live<T> {
    /// The version of the store at the last look; zero before.
    seen: AtomicU64,
    settings: OnceLock<Box<RwLock<Option<Arc<T>>>>>,
}

/// The settings in use: of the code, or overridden.
#[derive(Debug)]
pub(crate) enum InUse<'s, T> {
    Code(&'s T),
    Live(Arc<T>),
}

impl<T> Deref for InUse<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Code(settings) => settings,
            Self::Live(settings) => settings,
        }
    }
}

impl<T> Live<T> {
    pub(crate) const fn new() -> Self {
        Self { seen: AtomicU64::new(0), settings: OnceLock::new() }
    }

    /// Returns the settings as of the last [`refresh`](Self::refresh).
    #[inline]
    pub(crate) fn last<'s>(&self, code: &'s T) -> InUse<'s, T> {
        if mode::has_settings() { self.last_seen(code) } else { InUse::Code(code) }
    }

    #[cold]
    fn last_seen<'s>(&self, code: &'s T) -> InUse<'s, T> {
        self.overridden().map_or(InUse::Code(code), InUse::Live)
    }

    /// Returns whether the store has changed since the last [`refresh`](Self::refresh).
    #[inline]
    pub(crate) fn is_stale(&self) -> bool {
        mode::has_settings() && self.seen.load(Acquire) != version()
    }

    /// Returns the overridden settings as of the last refresh.
    pub(crate) fn overridden(&self) -> Option<Arc<T>> {
        let settings = self.settings.get()?;
        settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the store. `adjusted` returns the settings with overrides that the policy accepts.
    #[cold]
    pub(crate) fn refresh_with(
        &self,
        kind: PolicyKind,
        name: &str,
        accepts: impl Fn(&Overrides) -> bool,
        adjusted: impl FnOnce(Overrides) -> Option<T>,
    ) {
        let (version, overrides) = overrides(kind, name);
        let overrides = overrides.accepted(accepts);
        let new = if overrides.is_empty() { None } else { adjusted(overrides) };
        if new.is_none() && self.settings.get().is_none() {
            self.seen.fetch_max(version, AcqRel);
            // A thread with an older version may have stored its overrides meanwhile.
            if self.settings.get().is_none() {
                return;
            }
        }
        let settings = self.settings.get_or_init(Box::default);
        let mut settings = settings.write().unwrap_or_else(PoisonError::into_inner);
        // A thread that was overtaken has an older version.
        if self.seen.load(Acquire) <= version {
            *settings = new.map(Arc::new);
            self.seen.store(version, Release);
        }
    }
}

impl<T: Adjustable> Live<T> {
    /// Asks the store. Overrides that the policy refuses have no effect but for the switches, and
    /// [`pending_settings`](super::pending_settings) reports the reason.
    pub(crate) fn refresh(&self, kind: PolicyKind, name: &str, code: &T) {
        let adjusted = |overrides: &Overrides| code.adjusted(overrides).ok();
        let accepts = |overrides: &Overrides| adjusted(overrides).is_some();
        self.refresh_with(kind, name, accepts, |overrides| adjusted(&overrides));
    }
}
