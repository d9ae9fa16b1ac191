//! The settings in use of a breaker.

use resilience_rules::settings::Value;

use super::settings::Settings;
use super::window::Span;
use super::{CircuitBreaker, OnCancel};
use crate::clock;
use crate::registry::PolicyKind;
use crate::settings::{Adjustable, InUse, Overrides, Put as _, Refusal};
use resilience_rules::circuit_breaker::WINDOW_BUCKETS;

impl CircuitBreaker {
    /// Returns the settings in use, as of the last look into the store.
    #[inline]
    pub(super) fn last(&self) -> InUse<'_, Settings> {
        self.live.last(&self.settings)
    }

    /// Returns the settings in use. Not for calls under the lock of the machine.
    #[inline]
    pub(super) fn current(&self) -> InUse<'_, Settings> {
        if self.live.is_stale() {
            self.follow();
        }
        self.last()
    }

    /// Looks into the store of settings. The state and the calls in view stay.
    #[cold]
    pub(super) fn follow(&self) {
        let now = clock::now();
        let name = self.name_or_default();
        self.change(|machine| {
            let old = self.last().span;
            self.live.refresh(PolicyKind::CircuitBreaker, name, &self.settings);
            let new = self.last();
            if new.span != old {
                machine.rewindow(old, &new, &self.cursor, now);
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
