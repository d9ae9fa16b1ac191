//! The settings of a bulkhead.

use core::time::Duration;

use resilience_rules::settings::Value;
use resilience_rules::{InvalidPolicy, bulkhead as rules};

use super::Bulkhead;
use crate::const_check::ensure;
use crate::registry::PolicyKind;
use crate::settings::{Adjustable, InUse, Overrides, Put as _, Refusal};

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) max: u32,
    pub(super) queue: Option<u32>,
    pub(super) wait: Option<Duration>,
    pub(super) shadow: bool,
    /// False where a setting switches the bulkhead off.
    pub(super) enabled: bool,
    /// Whether the bulkhead belongs to an annotated function.
    pub(super) is_annotated: bool,
}

impl Settings {
    pub(super) const fn new(max: u32) -> Self {
        let (queue, wait, shadow) = (None, None, false);
        Self { max, queue, wait, shadow, enabled: true, is_annotated: false }
    }

    pub(super) const fn validate(&self) -> Result<(), InvalidPolicy> {
        ensure!(rules::max(self.max));
        match (self.queue, self.wait) {
            (Some(queue), Some(wait)) => rules::queue_and_wait(queue, wait),
            _ => Ok(()),
        }
    }

    #[inline]
    pub(super) const fn limit(&self) -> u32 {
        if self.max == 0 { 1 } else { self.max }
    }

    /// Returns the number of calls that may wait.
    pub(super) fn queue_capacity(&self, patience: u64) -> usize {
        match (self.queue, self.longest_wait(patience)) {
            (_, Some(Duration::ZERO)) => 0,
            _ if patience == u64::MAX => usize::MAX,
            (None, _) => usize::MAX,
            (Some(queue), _) => usize::try_from(queue).unwrap_or(usize::MAX),
        }
    }

    /// Returns the longest wait of a call; `None` is unlimited.
    pub(super) fn longest_wait(&self, patience: u64) -> Option<Duration> {
        if patience == u64::MAX {
            return None;
        }
        let patience = Duration::from_nanos(patience);
        match (self.queue, self.wait) {
            (Some(_), None) | (_, Some(Duration::MAX)) => None,
            (_, wait) => Some(wait.unwrap_or_default().max(patience)),
        }
    }
}

impl Bulkhead {
    /// Returns the settings in use.
    #[inline]
    pub(super) fn current(&self) -> InUse<'_, Settings> {
        if self.live.is_stale() {
            self.follow();
        }
        self.live.last(&self.settings)
    }

    /// Looks into the store of settings, and gives the permits of a raised limit to the calls that
    /// wait. No call waits for a bulkhead that is switched off or in shadow mode.
    #[cold]
    pub(super) fn follow(&self) {
        self.live.refresh(PolicyKind::Bulkhead, self.name_or_default(), &self.settings);
        let settings = self.live.last(&self.settings);
        let is_strict = settings.enabled && !settings.shadow;
        self.semaphore.grow(if is_strict { settings.limit() } else { u32::MAX });
    }
}

impl Adjustable for Settings {
    fn adjusted(&self, overrides: &Overrides) -> Result<Self, Refusal> {
        let mut new = *self;
        let waits = matches!((self.queue, self.wait), (None, Some(Duration::MAX)));
        let is_infallible = self.is_annotated && (self.shadow || waits);
        for (key, value) in overrides.iter() {
            match (key, value) {
                ("queue" | "wait", _) | ("shadow", Value::Flag(false)) if is_infallible => {
                    return Err(Refusal::infallible(key));
                }
                ("max", _) => value.put(&mut new.max),
                ("queue", _) => value.put(&mut new.queue),
                ("wait", _) => value.put(&mut new.wait),
                ("shadow", _) => value.put(&mut new.shadow),
                ("enabled", _) => value.put(&mut new.enabled),
                _ => {}
            }
        }
        new.validate()?;
        Ok(new)
    }
}
