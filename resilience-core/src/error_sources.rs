//! The chain of sources of an error.

use core::cell::Cell;
use std::error::Error;
use std::io;
use std::sync::Arc;

use crate::rejected::Rejected;

thread_local! {
    /// Whether the next [`Rejected`] that is asked for a source of this thread returns itself.
    static SHOWS_REJECTION: Cell<bool> = const { Cell::new(false) };
}

/// Returns the error and its sources, from the outside in. `io::Error` and `Arc<dyn Error>` hide
/// the inner error from [`source`](Error::source), so this function unwraps both.
///
/// A transparent wrapper, such as `#[error(transparent)]` of `thiserror`, a `Box` or an `Arc`, is
/// an error of another type with the source of the inner error. The sources therefore skip the
/// inner error, except for a [`Rejected`].
pub fn error_sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    core::iter::successors(Some(error), |&error| inside(error).or_else(|| next_source(error)))
        // A chain may be a cycle.
        .take(64)
}

/// Returns the error inside of an error that hides it.
fn inside<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    if let Some(error) = downcast::<io::Error>(error) {
        return error.get_ref().map(|error| error as _);
    }
    if let Some(error) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    error.downcast_ref::<Arc<dyn Error>>().map(|error| &**error)
}

/// Returns the source of an error, or the rejection whose source the error returns as its own.
///
/// The rejection is asked for the source by the wrapper and answers with itself. A source that
/// always shows the rejection would appear twice in every printed chain.
fn next_source<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    // During the destruction of the thread the rejection keeps its own source.
    let _ = SHOWS_REJECTION.try_with(|shows| shows.set(!error.is::<Rejected>()));
    let source = error.source();
    is_searched();
    source
}

/// Returns whether a search asks the wrapper of a rejection for a source. The answer is given once.
pub(crate) fn is_searched() -> bool {
    SHOWS_REJECTION.try_with(Cell::take).unwrap_or(false)
}

/// Downcasts an error to `E`, also through `Box<E>` and `Arc<E>`. Both pointers are separate error
/// types, and `source` of a pointer skips the inner error.
#[must_use]
pub fn downcast<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let boxed = || error.downcast_ref::<Box<E>>().map(AsRef::as_ref);
    let shared = || error.downcast_ref::<Arc<E>>().map(AsRef::as_ref);
    error.downcast_ref().or_else(boxed).or_else(shared)
}
