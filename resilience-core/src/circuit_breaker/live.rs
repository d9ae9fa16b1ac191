//! The settings in use of a breaker.

use resilience_rules::settings::Value;

use super::OnCancel;
use super::definition::{Definition, View};
use super::settings::Settings;
use super::window::Span;
use crate::clock;
use crate::mode;
use crate::registry::PolicyKind;
use crate::settings::{Adjustable, InUse, Overrides, Put as _, Refusal};
use resilience_rules::circuit_breaker::WINDOW_BUCKETS;

impl<'b> View<'b> {
    /// Returns the settings in use, as of the last look into the store.
    #[inline]
    pub(super) fn last(self) -> InUse<'b, Settings> {
        let code = &self.definition.settings;
        match self.state.rare.get() {
            Some(rare) => rare.live.last(code),
            None => InUse::Code(code),
        }
    }

    /// Returns the settings in use. Not for calls under the lock of the machine.
    #[inline]
    pub(super) fn current(self) -> InUse<'b, Settings> {
        if mode::has_settings() {
            self.follow();
        }
        self.last()
    }

    /// Looks into the store of settings. The state and the calls in view stay.
    #[cold]
    pub(super) fn follow(self) {
        let Definition { live, settings, .. } = self.definition;
        let (kind, name) = (PolicyKind::CircuitBreaker, self.name_or_default());
        if live.is_stale() {
            live.refresh(kind, name, settings);
        }
        // Without overrides a breaker for a key stays small.
        if live.overridden().is_none() && self.state.rare.get().is_none() {
            return;
        }
        let live = &self.rare().live;
        if !live.is_stale() {
            return;
        }
        let now = clock::now();
        self.change(|machine| {
            let old = self.last().span;
            live.refresh(kind, name, settings);
            let new = self.last();
            // The limit may be shorter.
            machine.expect_search();
            if new.span != old {
                machine.rewindow(old, &new, &self.state.cursor, now);
            }
        });
    }
}

impl Adjustable for Settings {
    fn adjusted(&self, overrides: &Overrides) -> Result<Self, Refusal> {
        let mut new = *self;
        for (key, value) in overrides.iter() {
            match (key, value) {
                ("failure_threshold", _) => value.put(&mut new.threshold),
                ("failure_rate", _) => value.put(&mut new.rate),
                ("window", Value::Count(calls)) => new.window = Some(Span::Calls(calls)),
                ("window", Value::Time(length)) => {
                    new.window = Some(Span::Time { length, buckets: WINDOW_BUCKETS });
                }
                ("min_calls", _) => value.put(&mut new.min),
                ("slow_call", _) if self.slow_call.is_some() => value.put(&mut new.slow_call),
                ("slow_call" | "slow_rate", _) if self.slow_call.is_none() => {
                    let reason = "calls are measured only where the code has `slow_call`";
                    return Err(Refusal::Fixed(key, reason));
                }
                ("slow_rate", _) => value.put(&mut new.slow),
                ("reset_timeout", _) => value.put(&mut new.reset_timeout),
                ("max_reset_timeout", _) => value.put(&mut new.max_reset_timeout),
                ("jitter", _) => value.put(&mut new.jitter),
                ("recovery", _) => value.put(&mut new.recovery),
                ("success_threshold", _) => value.put(&mut new.success_threshold),
                ("half_open_calls", _) => value.put(&mut new.half_open_calls),
                ("on_cancel", Value::Word("failure")) => new.on_cancel = OnCancel::Failure,
                ("on_cancel", _) => new.on_cancel = OnCancel::Ignore,
                ("shadow", _) => value.put(&mut new.shadow),
                ("enabled", _) => value.put(&mut new.enabled),
                _ => {}
            }
        }
        let new = new.resolved();
        new.validate()?;
        Ok(new)
    }
}
