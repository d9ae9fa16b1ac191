//! The process-wide switch.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Turns every attribute and policy of the process on or off; they are on at the start. `#[idempotent]` stays on: what is
/// done twice because of a switch cannot be undone by it.
///
/// Off, an annotated function behaves as if it had no attribute: `#[retry]` makes one call. For a
/// deployment where something else, such as a service mesh, does the retrying. Calls that are
/// waiting for their next attempt make it, and no more.
///
/// ```
/// resilience::set_enabled(false);
/// assert!(!resilience::is_enabled());
/// # resilience::set_enabled(true);
/// ```
pub fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Relaxed);
}

/// Whether attributes and policies are on. See [`set_enabled`].
#[must_use]
#[inline]
pub fn is_enabled() -> bool {
    ENABLED.load(Relaxed)
}
