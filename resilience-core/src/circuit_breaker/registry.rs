//! The breakers of annotated functions, by name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::CircuitBreaker;
use crate::function_state::resolve;
use crate::notify::{Notified, Notifier};
use crate::registry::list_static;

/// Told about decisions of shared breakers, and about their first calls.
pub(super) static DECISIONS: Notifier = Notifier::new();

static BREAKERS: Mutex<Vec<&'static CircuitBreaker>> = Mutex::new(Vec::new());

fn breakers() -> MutexGuard<'static, Vec<&'static CircuitBreaker>> {
    BREAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the breaker of a function with `#[circuit_breaker]`, by the path of the function or by
/// `name = "…"`.
///
/// A breaker is registered at the first call of the function. If several breakers have the name,
/// the first is returned. To access a breaker before the first call, declare a `static` and use
/// `breaker = &IT`.
///
/// ```
/// assert!(resilience::circuit_breaker("payments::charge").is_none()); // not called yet
/// ```
#[must_use]
pub fn circuit_breaker(name: &str) -> Option<&'static CircuitBreaker> {
    let found = breakers().iter().find(|breaker| breaker.view().name_or_default() == name).copied();
    found.map(resolve)
}

/// Makes the fast path of all breakers of annotated functions read the mode of the process again.
pub(crate) fn republish_all() {
    // Delivers events to hooks, so no lock is held meanwhile.
    let breakers = breakers().clone();
    for breaker in breakers {
        breaker.view().republish();
    }
}

/// Returns the breakers of annotated functions that are shared with other processes.
#[must_use]
pub fn shared_breakers() -> Vec<&'static CircuitBreaker> {
    let is_shared = |breaker: &&&'static CircuitBreaker| breaker.shared_name().is_some();
    breakers().iter().filter(is_shared).copied().collect()
}

/// Starts to listen for decisions of the shared breakers of this process, and for the first calls
/// of further shared breakers.
pub fn shared_decisions() -> Notified {
    DECISIONS.listen()
}

/// Registers a breaker.
pub(super) fn register(breaker: &'static CircuitBreaker) {
    let mut breakers = breakers();
    if !breakers.iter().any(|known| core::ptr::eq(*known, breaker)) {
        breakers.push(breaker);
        drop(breakers);
        list_static(breaker);
        if breaker.shared_name().is_some() {
            DECISIONS.notify();
        }
    }
}
