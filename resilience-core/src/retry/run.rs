//! Retries without the attribute.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::ops::ControlFlow;

use super::policy::{DEFAULT_NAME, RetryPolicy};
use super::state::{CallContext, RetryState};
use crate::backoff::Backoff;
use crate::classify::FailureClass;
use crate::clock::WaitMode;
use crate::context::attempt::{enter_attempt_of, in_nested_attempt, named_attempt};
use crate::event::{GiveUpEvent, RetryEvent};
use crate::expansion::keep_value;
use crate::log::Shown;
use crate::outcome::Outcome;

/// A policy together with the predicates and hooks of a call; made by [`RetryPolicy::on`].
///
/// ```
/// use resilience::{FailureClass, Classify, RetryPolicy, testing};
///
/// #[derive(Debug, PartialEq)]
/// enum ApiError {
///     Busy,
///     NotFound,
/// }
///
/// impl Classify for ApiError {
///     fn classify(&self) -> FailureClass {
///         FailureClass::from(*self == ApiError::Busy)
///     }
/// }
///
/// static RETRY: RetryPolicy = RetryPolicy::new();
///
/// let _guard = testing::no_waits();
/// let mut answers = vec![ApiError::NotFound, ApiError::Busy];
/// let mut seen = Vec::new();
/// let result: Result<(), _> = RETRY
///     .on(ApiError::classify)
///     .on_retry(|event| seen.push((event.attempt, event.class)))
///     .run(|| Err(answers.pop().unwrap_or(ApiError::NotFound)));
/// assert_eq!(result, Err(ApiError::NotFound));
/// assert_eq!(seen, [(1, FailureClass::transient())]);
/// ```
#[must_use = "nothing runs before `run` or `run_async`"]
pub struct Retry<'p, T, E, B, On, OnOk, OnRetry, OnGiveUp> {
    policy: &'p RetryPolicy<B>,
    on: On,
    on_ok: OnOk,
    on_retry: OnRetry,
    on_give_up: OnGiveUp,
    classifies: PhantomData<fn(&T, &E)>,
}

type KeepValue<T> = fn(&T) -> FailureClass;
type WithoutHooks<'p, T, E, B, On> =
    Retry<'p, T, E, B, On, KeepValue<T>, fn(&RetryEvent<'_, E>), fn(&GiveUpEvent<'_, E>)>;

impl<B: Backoff> RetryPolicy<B> {
    /// Calls `body` until success or until the policy gives up, and returns the last outcome.
    /// Retries every error; delays block the thread.
    pub fn run<O: Outcome>(&self, body: impl FnMut() -> O) -> O {
        self.on(|_: &O::Err| true).run(body)
    }

    /// Calls and awaits `body` until success or until the policy gives up, and returns the last
    /// outcome. Retries every error.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::RetryPolicy;
    ///
    /// static RETRY: RetryPolicy = RetryPolicy::new().base_delay(Duration::from_millis(1));
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// # runtime.block_on(async {
    /// let mut calls = 0;
    /// let result: Result<u32, &str> = RETRY
    ///     .run_async(|| {
    ///         calls += 1;
    ///         async move { if calls < 3 { Err("not yet") } else { Ok(calls) } }
    ///     })
    ///     .await;
    /// assert_eq!(result, Ok(3));
    /// # });
    /// ```
    pub async fn run_async<O, F>(&self, body: impl FnMut() -> F) -> O
    where
        O: Outcome,
        F: Future<Output = O>,
    {
        self.on(|_: &O::Err| true).run_async(body).await
    }

    /// Sets the errors to retry: a predicate from the error to `bool` or [`FailureClass`].
    pub fn on<T, E, C: Into<FailureClass>>(
        &self,
        on: impl Fn(&E) -> C,
    ) -> WithoutHooks<'_, T, E, B, impl Fn(&E) -> FailureClass> {
        Retry {
            policy: self,
            on: move |error: &E| on(error).into(),
            on_ok: |_| FailureClass::permanent(),
            on_retry: |_| {},
            on_give_up: |_| {},
            classifies: PhantomData,
        }
    }
}

impl<'p, T, E, B, On, OnOk, OnRetry, OnGiveUp> Retry<'p, T, E, B, On, OnOk, OnRetry, OnGiveUp> {
    /// Sets the values to retry, which mean "not yet": a predicate from the value to `bool` or
    /// [`FailureClass`].
    pub fn on_ok<D: Into<FailureClass>>(
        self,
        on_ok: impl Fn(&T) -> D,
    ) -> Retry<'p, T, E, B, On, impl Fn(&T) -> FailureClass, OnRetry, OnGiveUp> {
        let Self { policy, on, on_retry, on_give_up, classifies, .. } = self;
        let on_ok = move |value: &T| on_ok(value).into();
        Retry { policy, on, on_ok, on_retry, on_give_up, classifies }
    }

    /// Calls `hook` before each delay.
    pub fn on_retry<H: FnMut(&RetryEvent<'_, E>)>(
        self,
        hook: H,
    ) -> Retry<'p, T, E, B, On, OnOk, H, OnGiveUp> {
        let Self { policy, on, on_ok, on_give_up, classifies, .. } = self;
        Retry { policy, on, on_ok, on_retry: hook, on_give_up, classifies }
    }

    /// Calls `hook` before a failure is returned.
    pub fn on_give_up<H: FnMut(&GiveUpEvent<'_, E>)>(
        self,
        hook: H,
    ) -> Retry<'p, T, E, B, On, OnOk, OnRetry, H> {
        let Self { policy, on, on_ok, on_retry, classifies, .. } = self;
        Retry { policy, on, on_ok, on_retry, on_give_up: hook, classifies }
    }
}

impl<T, E, B, On, OnOk, OnRetry, OnGiveUp> Retry<'_, T, E, B, On, OnOk, OnRetry, OnGiveUp>
where
    B: Backoff,
    On: Fn(&E) -> FailureClass,
    OnOk: Fn(&T) -> FailureClass,
    OnRetry: FnMut(&RetryEvent<'_, E>),
    OnGiveUp: FnMut(&GiveUpEvent<'_, E>),
{
    /// Calls `body` until the outcome is final. Delays block the thread.
    pub fn run<O: Outcome<Ok = T, Err = E>>(mut self, mut body: impl FnMut() -> O) -> O {
        let spending = RetryState::spending(self.policy);
        let mut state = RetryState::begin(self.policy);
        state.initial_delay_blocking(self.policy);
        let setter = self.policy.setter(DEFAULT_NAME);
        let mut scope = state.scope(self.policy);
        loop {
            let bound = state.bound(self.policy);
            let nested = enter_attempt_of(&named_attempt(bound, setter, state.attempt_number()));
            let out = scope.enter(&mut body);
            drop(nested);
            let Self { policy, on, on_ok, on_retry, on_give_up, .. } = &mut self;
            // No copy: a policy by hand blocks the thread by default.
            let context = CallContext { policy: *policy, spending: Some(&spending) };
            let step = state.step_blocking::<O, _, _, _, true>(
                context,
                Some(&scope.signal()),
                out,
                &*on,
                &*on_ok,
                no_text,
                on_retry,
                on_give_up,
                keep_value,
                drop,
            );
            if let ControlFlow::Break(out) = step {
                return out;
            }
            spending.retrying();
        }
    }

    /// Calls and awaits `body` until the outcome is final.
    pub async fn run_async<O, F>(mut self, mut body: impl FnMut() -> F) -> O
    where
        O: Outcome<Ok = T, Err = E>,
        F: Future<Output = O>,
    {
        let spending = RetryState::spending(self.policy);
        let mut state = RetryState::begin(self.policy);
        if let Some(delay) = state.initial_delay(self.policy) {
            delay.wait().await;
        }
        let setter = self.policy.setter(DEFAULT_NAME);
        let mut scope = state.scope(self.policy);
        loop {
            let out = {
                let (bound, attempt) = (state.bound(self.policy), state.attempt_number());
                // The closure may run code of its own before the future.
                let future = scope.run(&mut body);
                in_nested_attempt(named_attempt(bound, setter, attempt), future).await
            };
            // The variables of this block are dropped before the wait, so that the future is
            // `Send`.
            let delay = {
                let policy = self.policy.borrowed().at(DEFAULT_NAME, WaitMode::Async);
                let context = CallContext { policy: &policy, spending: Some(&spending) };
                let Self { on, on_ok, on_retry, on_give_up, .. } = &mut self;
                match state.step::<O, _, _, _, true>(
                    context,
                    Some(&scope.signal()),
                    out,
                    &*on,
                    &*on_ok,
                    no_text,
                    on_retry,
                    on_give_up,
                    keep_value,
                    drop,
                ) {
                    ControlFlow::Break(out) => return out,
                    ControlFlow::Continue((next, delay)) => {
                        state = next;
                        delay
                    }
                }
            };
            delay.wait().await;
            spending.retrying();
        }
    }
}

/// The text of an error of any type, without the attribute.
fn no_text<E>(_: &E) -> Shown<'_> {
    Shown::Nothing
}

impl<T, E, B: fmt::Debug, On, OnOk, OnRetry, OnGiveUp> fmt::Debug
    for Retry<'_, T, E, B, On, OnOk, OnRetry, OnGiveUp>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("policy", self.policy).finish_non_exhaustive()
    }
}
