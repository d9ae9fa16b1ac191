//! The settings of a rate limiter.

use core::time::Duration;

use resilience_rules::settings::Value;
use resilience_rules::{InvalidPolicy, rate_limit as rules};

use super::pace::Pace;
use super::{Defined, Definition, RateLimiter};
use crate::clock::now;
use crate::const_check::ensure;
use crate::mode;
use crate::registry::PolicyKind;
use crate::settings::{Action, Adjustable, InUse, Overrides, Put as _, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub(super) struct Settings {
    pub(super) rate: u32,
    pub(super) per: Duration,
    pub(super) burst: u32,
    pub(super) wait: Duration,
    pub(super) shadow: bool,
    /// False where a setting switches the limiter off.
    pub(super) enabled: bool,
    /// Whether several processes use the rate together.
    pub(super) is_shared: bool,
    /// Whether the limiter belongs to an annotated function.
    pub(super) is_annotated: bool,
    /// Derived: the rate in nanoseconds.
    pub(super) pace: Pace,
}

impl Settings {
    pub(super) const fn new(rate: u32, per: Duration) -> Self {
        Self {
            rate,
            per,
            burst: rules::BURST,
            wait: Duration::ZERO,
            shadow: false,
            enabled: true,
            is_shared: false,
            is_annotated: false,
            pace: Pace::new(rate, per, rules::BURST, Duration::ZERO),
        }
    }

    /// Computes the pace after a setting has changed.
    pub(super) const fn resolved(mut self) -> Self {
        self.pace = Pace::new(self.rate, self.per, self.burst, self.wait);
        self
    }

    pub(super) const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(rules::rate(self.rate), rules::per(self.per));
        rules::burst(self.burst)
    }
}

impl<D: Defined> RateLimiter<D> {
    /// Returns the settings in use.
    #[inline]
    pub(super) fn current(&self) -> InUse<'_, Settings> {
        if mode::has_settings() {
            self.follow();
        }
        self.last()
    }

    /// Returns the settings as of the last call of [`current`](Self::current).
    #[inline]
    pub(super) fn last(&self) -> InUse<'_, Settings> {
        let code = &self.definition().settings;
        match self.state.gcra.extra_if_needed() {
            Some(extra) => extra.live.last(code),
            None => InUse::Code(code),
        }
    }

    /// Looks into the store of settings. The used part of the burst stays.
    #[cold]
    pub(super) fn follow(&self) {
        let Definition { live, settings, .. } = self.definition();
        let (kind, name) = (PolicyKind::RateLimit, self.name_or_default());
        if live.is_stale() {
            live.refresh(kind, name, settings);
        }
        let gcra = &self.state.gcra;
        // Without overrides a limiter for a key stays small.
        if live.overridden().is_none() && gcra.extra_if_needed().is_none() {
            return;
        }
        let live = &gcra.extra().live;
        if live.is_stale() {
            let refreshed = || {
                let old = live.last(settings).pace;
                live.refresh(kind, name, settings);
                (old, live.last(settings).pace)
            };
            gcra.rescale(refreshed, || now().word());
        }
    }

    /// Changes the permits. Returns whether a limiter has such an action.
    pub(super) fn act(&self, action: Action) -> bool {
        let view = self.current_view();
        match action {
            Action::Drain => view.gcra.drain(view.pace, || view.now()),
            Action::Reset => view.gcra.fill(|| view.now()),
            Action::ForceOpen | Action::ForceClosed | Action::Release => return false,
        }
        true
    }
}

impl Adjustable for Settings {
    fn adjusted(&self, overrides: &Overrides) -> Result<Self, Refusal> {
        let mut new = *self;
        let is_infallible = self.is_annotated && (self.shadow || self.wait == Duration::MAX);
        for (key, value) in overrides.iter() {
            match (key, value) {
                ("wait", _) | ("shadow", Value::Flag(false)) if is_infallible => {
                    return Err(Refusal::infallible(key));
                }
                ("rate" | "per" | "burst", _) if self.is_shared => {
                    return Err(Refusal::Fixed(key, "other processes share the rate"));
                }
                ("rate", _) => value.put(&mut new.rate),
                ("per", _) => value.put(&mut new.per),
                ("burst", _) => value.put(&mut new.burst),
                ("wait", _) => value.put(&mut new.wait),
                ("shadow", _) => value.put(&mut new.shadow),
                ("enabled", _) => value.put(&mut new.enabled),
                _ => {}
            }
        }
        new.validate()?;
        Ok(new.resolved())
    }
}
