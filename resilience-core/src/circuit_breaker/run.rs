//! Calls through a breaker without the attribute.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;

use super::definition::{Defined, Definition};
use super::{CircuitBreaker, CircuitGuard, watched_trial};
use crate::classify::FailureClass;
use crate::outcome::Outcome;
use crate::rejected::{FromRejected, reject};

/// A breaker together with the predicates of a call; made by [`CircuitBreaker::on`].
///
/// ```
/// use resilience::{CircuitBreaker, CircuitState, Rejected};
///
/// static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
///
/// let get = |status: u16| -> Result<u16, Rejected> {
///     API.on(|_: &Rejected| true).on_ok(|status| *status >= 500).run(|| Ok(status))
/// };
/// assert_eq!((get(503), get(404)), (Ok(503), Ok(404))); // a failure, a success
/// assert_eq!((get(503), get(503)), (Ok(503), Ok(503)));
/// assert_eq!(API.state(), CircuitState::Open);
/// assert!(get(200).is_err());
/// ```
#[must_use = "nothing runs before `run` or `run_async`"]
pub struct CircuitCall<'b, T, E, On, OnOk, D: Defined = Definition> {
    breaker: &'b CircuitBreaker<D>,
    on: On,
    on_ok: OnOk,
    /// Whether every value is a success: `on_ok` is not set. Known to the compiler after inlining,
    /// which keeps a borrow of the outcome off the happy path.
    any_value: bool,
    /// The text of an error, for the source of rejections.
    text: Option<fn(&E) -> String>,
    classifies: PhantomData<fn(&T, &E)>,
}

impl<D: Defined> CircuitBreaker<D> {
    /// Runs `body` if the breaker admits the call. Every `Err` counts as a failure;
    /// [`on`](Self::on) selects errors.
    #[inline]
    pub fn run<O, By>(&self, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        self.on(|_: &O::Err| true).run(body)
    }

    /// Awaits `body` if the breaker admits the call. Every `Err` counts as a failure;
    /// [`on`](Self::on) selects errors.
    ///
    /// ```
    /// use resilience::{CircuitBreaker, Rejected};
    ///
    /// static API: CircuitBreaker = CircuitBreaker::new();
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let answer: Result<u32, Rejected> = API.run_async(async { Ok(7) }).await;
    /// assert_eq!(answer, Ok(7));
    /// # });
    /// ```
    pub fn run_async<O, By>(&self, body: impl Future<Output = O>) -> impl Future<Output = O>
    where
        O: Outcome<Err: FromRejected<By>>,
    {
        // The future of the call itself: a further `async fn` around it moves `body` once more.
        self.on(|_: &O::Err| true).run_async(body)
    }

    /// Sets the errors that count as failures: a predicate from the error to `bool` or
    /// [`FailureClass`]. Transient and throttled errors are failures. A permanent error is an
    /// answer of the dependency and counts as a success, unless the call was not sent
    /// ([`Effect::NotSent`](crate::Effect::NotSent)). [`FailureClass::neutral`] counts as neither.
    #[inline]
    pub fn on<T, E, C: Into<FailureClass>>(
        &self,
        on: impl FnOnce(&E) -> C,
    ) -> CircuitCall<'_, T, E, impl FnOnce(&E) -> FailureClass, impl FnOnce(&T) -> FailureClass, D>
    {
        CircuitCall {
            breaker: self,
            on: move |error: &E| on(error).into(),
            on_ok: |_: &T| FailureClass::permanent(),
            any_value: true,
            text: None,
            classifies: PhantomData,
        }
    }
}

impl<'b, T, E, On, OnOk, D: Defined> CircuitCall<'b, T, E, On, OnOk, D> {
    /// Sets the values that count as failures: a predicate from the value to `bool` or
    /// [`FailureClass`]. Transient and throttled values count as failures, permanent values as
    /// successes.
    pub fn on_ok<C: Into<FailureClass>>(
        self,
        on_ok: impl FnOnce(&T) -> C,
    ) -> CircuitCall<'b, T, E, On, impl FnOnce(&T) -> FailureClass, D> {
        let Self { breaker, on, text, classifies, .. } = self;
        let on_ok = move |value: &T| on_ok(value).into();
        CircuitCall { breaker, on, on_ok, any_value: false, text, classifies }
    }

    /// Sets the text of an error. If the error opens the breaker, the text becomes the
    /// [`source`](core::error::Error::source) of the rejections.
    ///
    /// ```
    /// use core::error::Error;
    /// use resilience::{CircuitBreaker, Rejected};
    ///
    /// let api = CircuitBreaker::new().failure_threshold(1);
    /// let call = || -> Result<(), Box<dyn Error + Send + Sync>> {
    ///     api.on(|_: &Box<_>| true).describe(ToString::to_string).run(|| Err("refused".into()))
    /// };
    /// assert_eq!(call().unwrap_err().to_string(), "refused");
    /// let rejected = call().unwrap_err().downcast::<Rejected>().unwrap();
    /// assert_eq!(rejected.source().unwrap().to_string(), "refused");
    /// ```
    pub fn describe(mut self, text: fn(&E) -> String) -> Self {
        self.text = Some(text);
        self
    }
}

impl<T, E, On, OnOk, D: Defined> CircuitCall<'_, T, E, On, OnOk, D>
where
    On: FnOnce(&E) -> FailureClass,
    OnOk: FnOnce(&T) -> FailureClass,
{
    /// Runs `body` if the breaker admits the call. A rejection becomes the outcome.
    #[inline]
    pub fn run<O, By>(self, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Ok = T, Err = E>,
        E: FromRejected<By>,
    {
        match self.breaker.admit_by_hand() {
            Ok(guard) => self.record(guard, body()),
            Err(rejected) => reject(rejected),
        }
    }

    /// Awaits `body` if the breaker admits the call. A rejection becomes the outcome.
    pub async fn run_async<O, By>(self, body: impl Future<Output = O>) -> O
    where
        O: Outcome<Ok = T, Err = E>,
        E: FromRejected<By>,
    {
        match self.breaker.admit_by_hand() {
            Ok(guard) => {
                let guard = guard.watch();
                let out = watched_trial(guard.trial(), body).await;
                self.record(guard.unwatch(), out)
            }
            Err(rejected) => reject(rejected),
        }
    }

    #[inline]
    fn record<O: Outcome<Ok = T, Err = E>>(self, guard: CircuitGuard<'_, D>, out: O) -> O {
        let text = self.text;
        let text = |error: &E| text.map(|text| text(error));
        if !self.any_value {
            return guard.record(out, self.on, self.on_ok, text, None).0;
        }
        if out.is_ok() {
            guard.success();
            return out;
        }
        guard.record_error(out, self.on, text, None).0
    }
}

impl<T, E, On, OnOk, D: Defined> fmt::Debug for CircuitCall<'_, T, E, On, OnOk, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitCall").field("breaker", self.breaker).finish_non_exhaustive()
    }
}
