//! What stands in for a failure.

use core::future::{Future, Ready as ReadyFuture, ready};

use crate::classify::{FailureClass, FailureKind};
use crate::log;
use crate::outcome::Outcome;
use crate::switch;

/// The failure that something shall stand in for.
///
/// # Errors
/// That failure; `Ok` is the outcome as it was, where `on` declines it.
#[cold]
pub fn fall_back<O: Outcome, C: Into<FailureClass>>(
    out: O,
    name: &'static str,
    on: impl FnOnce(&O::Err) -> C,
) -> Result<O, O::Err> {
    let declined = match out.as_result() {
        Ok(_) => true,
        Err(error) => on(error).into().kind == FailureKind::Permanent || !switch::is_enabled(),
    };
    if declined {
        return Ok(out);
    }
    log::fallback_used(name);
    match out.into_result() {
        Ok(value) => Ok(O::from_result(Ok(value))),
        Err(error) => Err(error),
    }
}

/// The outcome as it was; `None` where something shall stand in for it. For a fallback that may take a
/// value for a failure.
#[inline]
pub fn keep_outcome<O: Outcome, C: Into<FailureClass>, D: Into<FailureClass>>(
    out: O,
    name: &'static str,
    on: impl FnOnce(&O::Err) -> C,
    on_ok: impl FnOnce(&O::Ok) -> D,
) -> Option<O> {
    let class = match out.as_result() {
        Ok(value) => on_ok(value).into(),
        Err(error) => on(error).into(),
    };
    if class.kind == FailureKind::Permanent || !switch::is_enabled() {
        return Some(out);
    }
    log::fallback_used(name);
    None
}

/// Calls the user's function with the failure.
#[inline]
pub fn answer<O: Outcome, A>(error: O::Err, with: impl FnOnce(O::Err) -> A) -> A {
    with(error)
}

/// What a fallback answers in an async function: a future, or what such a future would yield.
#[derive(Debug)]
pub struct Answer<A>(pub A);

impl<A: Future> Answer<A> {
    /// The answer, to be awaited.
    pub fn answer(self) -> A {
        self.0
    }
}

/// An answer that is there already. The inherent method wins wherever the answer is a future.
pub trait Ready {
    /// What is there.
    type Value;

    /// The answer, to be awaited.
    fn answer(self) -> ReadyFuture<Self::Value>;
}

impl<A> Ready for Answer<A> {
    type Value = A;

    fn answer(self) -> ReadyFuture<A> {
        ready(self.0)
    }
}

/// The outcome that an answer makes.
#[inline]
pub fn recovered<O, A>(answer: A) -> O
where
    O: Outcome,
    A: Recovered<O::Ok, O::Err>,
{
    O::from_result(answer.recovered())
}

/// A value, or a whole outcome. (They cannot be mistaken for each other: no type is a `Result` of
/// itself.)
#[diagnostic::on_unimplemented(
    message = "a fallback for this function cannot be `{Self}`",
    label = "neither the value of a success nor what the function returns",
    note = "return `{T}`, or the function's own return type"
)]
pub trait Recovered<T, E> {
    /// As a success or a failure.
    ///
    /// # Errors
    /// The failure, where the whole outcome is one.
    fn recovered(self) -> Result<T, E>;
}

impl<T, E> Recovered<T, E> for T {
    #[inline]
    fn recovered(self) -> Result<T, E> {
        Ok(self)
    }
}

impl<T, E> Recovered<T, E> for Result<T, E> {
    #[inline]
    fn recovered(self) -> Result<T, E> {
        self
    }
}

impl<T> Recovered<T, ()> for Option<T> {
    #[inline]
    fn recovered(self) -> Result<T, ()> {
        self.ok_or(())
    }
}
