//! A breaker per key: the breakers of a table share their definition.

use core::ptr;
use std::sync::{Arc, OnceLock};

use super::definition::{Defined, Definition};
use super::events::Hook;
use super::word::{BOUNDED, COUNTED};
use super::{CircuitBreaker, CircuitState};
use crate::clock::Timestamp;
use crate::keyed::{KeyGroup, KeyLabel, KeyState, KeyedPolicy, Membership, share_definition};
use crate::registry::PolicyFigures;
use crate::sync::lock;

/// The breaker of a key in a [`Keyed`](crate::Keyed) table: the settings are in one place for the
/// table.
///
/// ```
/// use std::sync::Arc;
/// use resilience::{CircuitBreaker, KeyCircuitBreaker, Keyed};
///
/// let breakers = Keyed::new(100, CircuitBreaker::new);
/// let host: Arc<KeyCircuitBreaker> = breakers.get("eu-1.example");
/// assert!(host.try_acquire().is_ok());
/// ```
pub type KeyCircuitBreaker = CircuitBreaker<Arc<Definition>>;

impl Definition {
    /// Returns whether a breaker with this definition behaves in the same way.
    fn is_like(&self, other: &Self) -> bool {
        let Self { settings, live: _, on_state_change, hook, listed, figures } = self;
        let is_same_function = match (on_state_change, other.on_state_change) {
            (Some(hook), Some(other)) => ptr::fn_addr_eq(*hook, other),
            (hook, other) => hook.is_none() && other.is_none(),
        };
        let is_same_hook = match (hook, &other.hook) {
            (Some(Hook(hook)), Some(Hook(other))) => Arc::ptr_eq(hook, other),
            (hook, other) => hook.is_none() && other.is_none(),
        };
        is_same_function
            && is_same_hook
            && *settings == other.settings
            && *listed == other.listed
            && figures.is_like(&other.figures)
    }
}

impl<D: Defined> KeyState for CircuitBreaker<D> {
    /// A closed breaker without a failure in view is stale: an eviction loses successes only. In
    /// any other state the breaker is stale once the last failure is older than the window and the
    /// open time. A manual state never becomes stale.
    fn is_stale(&self, now: Timestamp) -> bool {
        // Closed, without a window and without a failure: known without the lock.
        if self.state.flags_but_for(BOUNDED | COUNTED) == 0 {
            return true;
        }
        if self.state.lasts(now) {
            return false;
        }
        let view = self.view();
        let settings = view.last();
        let mut machine = lock(&view.state.machine);
        if matches!(machine.state, CircuitState::ForcedOpen | CircuitState::Disabled) {
            return machine.until.is_some_and(|until| until <= now);
        }
        let is_closed = machine.state == CircuitState::Closed && machine.consecutive_failures == 0;
        // Read only where necessary: the search for a stale key reads the memory of many breakers.
        let mut is_new = || {
            let (counts, _) = machine.counts(&settings, &view.state.cursor, now);
            // A breaker that closed a moment ago still admits a part of the calls, or grows faster.
            counts.failures == 0 && counts.slow == 0 && machine.unstable_for(now).is_none()
        };
        is_closed && is_new() || machine.is_abandoned(&settings, now)
    }
}

impl KeyedPolicy for CircuitBreaker {
    type PerKey = KeyCircuitBreaker;
    type Common = Arc<Definition>;

    fn per_key(self, common: &OnceLock<Self::Common>) -> Self::PerKey {
        let Self { definition, state } = self;
        let definition = share_definition(common, definition, Definition::is_like);
        CircuitBreaker { definition, state }
    }

    #[cfg(not(resilience_loom))]
    fn or_name(self, name: &'static str) -> Self {
        let depth = self.definition.figures.depth;
        self.at(name, depth)
    }

    /// No model uses the name of a breaker with a key.
    #[cfg(resilience_loom)]
    fn or_name(self, _: &'static str) -> Self {
        self
    }

    fn parts(&mut self) -> (&mut PolicyFigures, &mut Option<KeyLabel>) {
        (&mut self.definition.figures, &mut self.state.key_label)
    }

    fn joined(self, group: &Arc<KeyGroup>) -> Self {
        if self.definition.settings.max_open.is_some() {
            let membership = Some(Membership::new(group));
            lock(&self.state.machine).extra.change().membership = membership;
        }
        self
    }
}

#[cfg(all(test, not(resilience_loom)))]
mod tests {
    use super::*;
    use crate::clock;
    use crate::keyed::Keyed;

    #[test]
    fn keys_share_the_definition_unless_settings_or_hooks_differ() {
        let table = Keyed::new(9, CircuitBreaker::new);
        let first = table.get("first");
        let shares = |key: &str, adjust: fn(CircuitBreaker) -> CircuitBreaker| {
            Arc::ptr_eq(&first.definition, &table.get_with(key, adjust).definition)
        };
        assert!(shares("plain", |breaker| breaker));
        assert!(shares("with a label", |breaker| breaker.key_label("label")));
        assert!(!shares("threshold", |breaker| breaker.failure_threshold(3)));
        assert!(!shares("name", |breaker| breaker.name("other")));
        assert!(!shares("function", |breaker| breaker.on_state_change(|_| ())));
        assert!(!shares("closure", |breaker| breaker.on_state_change_with(|_| ())));
    }
    /// A call that has seen the breaker open may read the time after the breaker has closed.
    #[test]
    fn the_time_of_failures_in_a_row_is_no_open_time() {
        let breaker = CircuitBreaker::new();
        breaker.trip();
        breaker.reset();
        let seen = super::super::OPEN;
        assert!(breaker.view().open_time_left(seen).is_some(), "the open time stays published");
        breaker.try_acquire().unwrap().failure();
        assert_eq!(breaker.view().open_time_left(seen), None);
        assert!(breaker.state.lasts(clock::now()) && !breaker.is_stale(clock::now()));
    }
}
