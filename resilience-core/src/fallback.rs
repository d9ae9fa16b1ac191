//! Fallbacks for failed calls.

use core::future::{Future, Ready as ReadyFuture, ready};
use core::time::Duration;

use crate::classify::{Effect, FailureClass, FailureKind};
use crate::event::{FallbackEvent, FallbackReason};
use crate::figures::table::slot;
use crate::log::{self, Level, Shown};
use crate::lost_attempt;
use crate::outcome::Outcome;
use crate::registry::Site;
use crate::switch;

/// Reports a fallback: emits the event, then calls the hook. `class` is the class from the
/// predicate, `known` the class of the error itself. Returns the effect of the replaced call.
#[cold]
#[expect(clippy::too_many_arguments, reason = "generated code passes what each layer knows")]
pub fn fell_back<E>(
    site: &Site,
    error: Option<&E>,
    class: FailureClass,
    age: Option<Duration>,
    known: FailureClass,
    text: Shown<'_>,
    level: Level,
    hook: impl FnOnce(&FallbackEvent<'_, E>),
) -> Effect {
    // A predicate that returns `bool` says nothing about the class.
    let class = if class == FailureClass::transient() { known } else { class };
    let reason = match error {
        None => FallbackReason::Value,
        Some(_) if class.is_rejection => FallbackReason::Rejected,
        Some(_) => FallbackReason::Error,
    };
    let (name, location) = (site.name, site.place());
    let event = FallbackEvent { name, error, class, reason, age, location };
    log::fallback(&event.with_error(None::<&()>), level, text);
    hook(&event);
    class.effect
}

/// Returns the error that needs a fallback and its effect, after a call of `report` with the site,
/// the error and the class.
///
/// # Errors
/// Returns the error and the effect. `Ok` carries the outcome unchanged, if `on` declines the
/// error.
#[cold]
#[inline(never)]
pub fn fall_back<O: Outcome, C: Into<FailureClass>>(
    out: O,
    site: &Site,
    on: impl FnOnce(&O::Err) -> C,
    report: impl FnOnce(&Site, Option<&O::Err>, FailureClass, Option<Duration>) -> Effect,
) -> Result<O, (O::Err, Effect)> {
    let Err(error) = out.as_result() else { return Ok(out) };
    let class = on(error).into();
    if class.kind == FailureKind::Permanent || !switch::is_enabled() {
        site.count(slot::FAILURE);
        return Ok(out);
    }
    site.count(slot::FALLBACK);
    let effect = report(site, Some(error), class, None);
    match out.into_result() {
        Ok(value) => Ok(O::from_result(Ok(value))),
        Err(error) => Err((error, effect)),
    }
}

/// Returns the outcome, or the effect of the call if the outcome needs a fallback, after a call of
/// `report`. For a fallback with `on_ok`.
///
/// # Errors
/// Returns the effect. `Ok` carries the outcome unchanged.
#[inline]
pub fn keep_outcome<O: Outcome, C: Into<FailureClass>, D: Into<FailureClass>>(
    out: O,
    site: &Site,
    on: impl FnOnce(&O::Err) -> C,
    on_ok: impl FnOnce(&O::Ok) -> D,
    report: impl FnOnce(&Site, Option<&O::Err>, FailureClass, Option<Duration>) -> Effect,
) -> Result<O, Effect> {
    let (error, class) = match out.as_result() {
        Ok(value) => (None, on_ok(value).into()),
        Err(error) => (Some(error), on(error).into()),
    };
    if class.kind == FailureKind::Permanent || !switch::is_enabled() {
        site.count_outcome(&out);
        return Ok(out);
    }
    site.count(slot::FALLBACK);
    Err(report(site, error, class, None))
}

/// Returns the outcome of a replacement. A failed replacement says nothing about the effect of the
/// replaced call, which may have been applied.
#[inline]
pub fn replaced<O: Outcome>(out: O, effect: Effect) -> O {
    if !effect.is_not_applied() && !out.is_ok() {
        lost_attempt::report();
    }
    out
}

/// Calls the user's function with the error.
#[inline]
pub fn answer<E, A>(error: E, with: impl FnOnce(E) -> A) -> A {
    with(error)
}

/// The result of a fallback in an async function: a value, or a future of the value.
#[derive(Debug)]
pub struct Answer<A>(pub A);

impl<A: Future> Answer<A> {
    /// Returns the future.
    pub fn resilience_answer(self) -> A {
        self.0
    }
}

/// A fallback result that is not a future. The inherent method wins for futures.
pub trait Ready {
    /// The value.
    type Value;

    /// Returns a future that is ready.
    fn resilience_answer(self) -> ReadyFuture<Self::Value>;
}

impl<A> Ready for Answer<A> {
    type Value = A;

    fn resilience_answer(self) -> ReadyFuture<A> {
        ready(self.0)
    }
}

/// Converts the result of a fallback into an outcome.
#[inline]
pub fn recovered<O, A>(answer: A) -> O
where
    O: Outcome,
    A: Recovered<O::Ok, O::Err>,
{
    O::from_result(answer.recovered())
}

/// A value or a whole outcome. The two never overlap: no type is a `Result` of itself.
#[diagnostic::on_unimplemented(
    message = "a fallback for this function cannot be `{Self}`",
    label = "neither the value of a success nor the return type of the function",
    note = "return `{T}`, or the return type of the function"
)]
pub trait Recovered<T, E> {
    /// Converts into a result.
    ///
    /// # Errors
    /// Returns the error of a failed outcome.
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
