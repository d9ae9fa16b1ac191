//! Helper functions for the expansion of the attributes.

use crate::event::{FallbackEvent, GiveUpEvent, HedgeEvent, RetryEvent};
use crate::outcome::Outcome;

/// Runs a body once. The separate function makes the closure `FnOnce` from the start.
#[inline]
pub fn once<O>(body: impl FnOnce() -> O) -> O {
    body()
}

/// A policy made by hand: the policy, or a pointer to the policy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `{P}`, and no pointer to one",
    label = "not a policy made by hand",
    note = "pass the policy, a reference to a `static`, a `Box` or an `Arc`; settings such as a share or a number are literals, like `budget = 0.2`"
)]
pub trait PolicyHandle<P>: AsRef<P> {}

#[diagnostic::do_not_recommend]
impl<H: AsRef<P> + ?Sized, P> PolicyHandle<P> for H {}

/// Returns the policy behind a handle.
#[inline]
pub fn policy_of<H: PolicyHandle<P> + ?Sized, P>(handle: &H) -> &P {
    handle.as_ref()
}

/// A cloneable handle of a policy. Used if the policy is in a value that the body may change: the
/// call holds a clone.
#[diagnostic::on_unimplemented(
    message = "the call cannot hold `{Self}` while the function changes the value that contains it",
    label = "not a cloneable handle",
    note = "store an `Arc` of the policy, so that the call can hold a clone, or take `&self`"
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

/// Returns a value of any type at a position that is never reached. The macros recognize a wrapped
/// body by this name.
#[must_use]
#[expect(clippy::empty_loop, reason = "never reached, and the library does not panic")]
pub fn resilience_never<T>() -> T {
    loop {}
}

/// Moves the outcome of a failed attempt, in a tuple. The code after a failure takes the address of
/// the error. Without the move, a success too would need an address, and another copy.
#[cold]
#[inline(never)]
pub fn failed<O>(out: O) -> (O,) {
    (out,)
}

/// The default of `on`: every error counts.
#[inline]
#[must_use]
pub fn match_all<E>(_: &E) -> bool {
    true
}

/// The default of `on_ok`: no value is a failure.
#[inline]
#[must_use]
pub fn never_retry<T>(_: &T) -> bool {
    false
}

/// The default of `exhausted`: the last value is returned.
#[inline]
#[must_use]
pub fn keep_value<O>(out: O) -> O {
    out
}

/// Replaces the last value, which `on_ok` still declines, by the error that `error` makes.
#[cold]
pub fn exhausted<O: Outcome>(out: O, error: impl FnOnce(O::Ok) -> O::Err) -> O {
    O::from_result(out.into_result().and_then(|value| Err(error(value))))
}

/// Gives the error of a failed attempt to `sink`. A declined value is dropped.
#[cold]
pub fn give_error<O: Outcome>(out: O, sink: impl FnOnce(O::Err)) {
    if let Err(error) = out.into_result() {
        sink(error);
    }
}

/// The default of `on_retry`.
#[inline]
pub fn no_retry_hook<E>(_: &RetryEvent<'_, E>) {}

/// Calls the hook `on_retry`.
#[inline]
pub fn retry_hook<E>(event: &RetryEvent<'_, E>, hook: impl FnOnce(&RetryEvent<'_, E>)) {
    hook(event);
}

/// Calls the hook `on_give_up`.
#[inline]
pub fn give_up_hook<E>(event: &GiveUpEvent<'_, E>, hook: impl FnOnce(&GiveUpEvent<'_, E>)) {
    hook(event);
}

/// Calls the hook `on_fallback`.
#[inline]
pub fn fallback_hook<E>(event: &FallbackEvent<'_, E>, hook: impl FnOnce(&FallbackEvent<'_, E>)) {
    hook(event);
}

/// The default of `on_fallback`.
#[inline]
pub fn no_fallback_hook<E>(_: &FallbackEvent<'_, E>) {}

/// The default of `on_hedge`.
#[inline]
pub fn no_hedge_hook(_: &HedgeEvent) {}

/// The default of `on_give_up`.
#[inline]
pub fn no_give_up_hook<E>(_: &GiveUpEvent<'_, E>) {}

/// Returns the outcome of a successful call of generated code. With the feature `figures`, counts
/// the call if successes are counted: `$counted` takes and returns the outcome.
#[cfg(feature = "figures")]
#[doc(hidden)]
#[macro_export]
macro_rules! __count_success {
    ($out:expr, $counted:expr) => {
        if $crate::__private::is_counting() { $counted.0 } else { $out }
    };
}

/// Returns the outcome.
#[cfg(not(feature = "figures"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __count_success {
    ($out:expr, $counted:expr) => {
        $out
    };
}

/// Reports a success after a retry, in generated code.
#[cfg(any(feature = "tracing", feature = "log"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __report_success {
    ($state:expr, $policy:expr) => {
        if $crate::__private::RetryState::reports_success($state) {
            $crate::__private::RetryState::recovered($state, $policy);
        }
    };
}

/// Reports nothing without the features `tracing` and `log`: a success costs no test.
#[cfg(not(any(feature = "tracing", feature = "log")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __report_success {
    ($state:expr, $policy:expr) => {};
}

/// The type of the outcome of a handler that returns `impl IntoResponse`.
#[cfg(feature = "axum")]
#[doc(hidden)]
#[macro_export]
macro_rules! __handler_outcome {
    () => {
        $crate::__private::HandlerResponse
    };
}

/// Without the feature `axum`, the outcome is the result of the body.
#[cfg(not(feature = "axum"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __handler_outcome {
    () => {
        _
    };
}
