//! The chain of sources of an error.

use std::error::Error;
use std::io;

/// Returns the error and its sources, from the outside in. `io::Error` hides the wrapped error
/// from [`source`](Error::source), so this function unwraps `io::Error`.
pub fn error_sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    core::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
    })
    // A chain may be a cycle.
    .take(64)
}
