//! The process-wide switch.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns all attributes and policies of the process on or off. Default: on. `#[idempotent]` stays
/// on: a duplicate side effect cannot be undone.
///
/// While off, an annotated function behaves as if it had no attribute: `#[retry]` makes one call.
/// For deployments where another component retries, such as a service mesh. A call that waits for
/// the next attempt makes that attempt and no more.
///
/// ```
/// resilience::set_enabled(false);
/// assert!(!resilience::is_enabled());
/// # resilience::set_enabled(true);
/// ```
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Relaxed);
}

/// Returns whether attributes and policies are on. See [`set_enabled`].
#[must_use]
#[inline]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
