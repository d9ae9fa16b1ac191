//! What an error was made of.

use std::error::Error;
use std::io;

/// The error and what it was made of, from the outside in. An `io::Error` hides what it wraps from
/// [`source`](Error::source), and is looked into.
pub fn error_sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    core::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
    })
    // Nothing keeps a chain from leading back to its beginning.
    .take(64)
}
