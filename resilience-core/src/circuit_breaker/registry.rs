//! The breakers of annotated functions, by name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CircuitBreaker, notify};
use crate::function_state::resolve;

static BREAKERS: Mutex<Vec<&'static CircuitBreaker>> = Mutex::new(Vec::new());

fn breakers() -> MutexGuard<'static, Vec<&'static CircuitBreaker>> {
    BREAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The breaker that `#[circuit_breaker]` gave to a function, by the function's path or by `name = "…"`.
///
/// A function's breaker is known from its first call on; of several with one name the first is found.
/// For one that must be at hand before, write a `static` and `breaker = &IT`.
///
/// ```
/// assert!(resilience::circuit_breaker("payments::charge").is_none()); // never called yet
/// ```
#[must_use]
pub fn circuit_breaker(name: &str) -> Option<&'static CircuitBreaker> {
    let found = breakers().iter().find(|breaker| breaker.name_or_default() == name).copied();
    found.map(resolve)
}

/// Makes every call of an annotated function look for a stand-in, from now on.
pub(crate) fn expect_overrides() {
    breakers().iter().for_each(|breaker| breaker.republish());
}

/// Those of annotated functions that are shared with other processes.
#[must_use]
pub fn shared_breakers() -> Vec<&'static CircuitBreaker> {
    let is_shared = |breaker: &&&'static CircuitBreaker| breaker.shared_name().is_some();
    breakers().iter().filter(is_shared).copied().collect()
}

/// Takes a breaker into the list.
pub(super) fn register(breaker: &'static CircuitBreaker) {
    let mut breakers = breakers();
    if !breakers.iter().any(|known| core::ptr::eq(*known, breaker)) {
        breakers.push(breaker);
        drop(breakers);
        if breaker.shared_name().is_some() {
            notify::notify();
        }
    }
}
