//! Reports an attempt that may have been applied, although the last failure of its call says that
//! nothing was sent.
//!
//! The attempts of a call can be in another function than an idempotent call around them, and the
//! error between the functions has a type of the user.

use std::sync::OnceLock;

use crate::context::execution_facts;

static OBSERVER: OnceLock<fn()> = OnceLock::new();

/// Sets the function that is called on the thread of such a call, when the call ends. The first
/// function stays for the rest of the process.
#[inline]
pub fn observe_lost_attempts(observer: fn()) {
    OBSERVER.get_or_init(|| observer);
}

#[cold]
pub(crate) fn report() {
    if let Some(observer) = OBSERVER.get() {
        observer();
    }
    execution_facts::record(|facts| facts.has_lost_attempt = true);
}
