//! Helper functions for the expansion of the attributes.

use crate::event::{GiveUpEvent, RetryEvent};

/// Runs a body that runs once. The separate function tells the compiler from the start that the
/// closure is `FnOnce`.
#[inline]
pub fn once<O>(body: impl FnOnce() -> O) -> O {
    body()
}

/// A handle of a policy in a value that the body may change: the call holds a clone of the handle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be held while the function changes what it is in",
    label = "not a handle that can be cloned",
    note = "keep it in an `Arc`, of which a clone is held for the call, or take `&self`"
)]
pub trait Handle<P>: Clone + AsRef<P> {}

#[diagnostic::do_not_recommend]
impl<H: Clone + AsRef<P>, P> Handle<P> for H {}

/// Clones the handle for one call.
#[inline]
#[must_use]
pub fn clone_handle<H: Handle<P>, P>(handle: &H) -> H {
    handle.clone()
}

/// Returns a value that is never made, in a position that is never reached. The macros recognize by
/// the name a body that an attribute has already wrapped.
#[must_use]
#[expect(clippy::empty_loop, reason = "never reached, and the library does not panic")]
pub fn resilience_never<T>() -> T {
    loop {}
}

/// The default of `on`: every error counts.
#[inline]
#[must_use]
pub fn match_all<E>(_: &E) -> bool {
    true
}

/// The default of `on_ok`: every value is final.
#[inline]
#[must_use]
pub fn never_retry<T>(_: &T) -> bool {
    false
}

/// The default of `on_retry`.
#[inline]
pub fn no_retry_hook<E>(_: &RetryEvent<'_, E>) {}

/// The default of `on_give_up`.
#[inline]
pub fn no_give_up_hook<E>(_: &GiveUpEvent<'_, E>) {}
