//! Readiness of a cloned `tower` service.

use core::mem;

/// Takes the service that `poll_ready` has prepared, and leaves a clone in place.
///
/// A clone is not ready: its `poll_ready` runs before the next call.
pub(crate) fn take_ready<S: Clone>(service: &mut S) -> S {
    let clone = service.clone();
    mem::replace(service, clone)
}
