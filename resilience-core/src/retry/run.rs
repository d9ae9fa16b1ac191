//! Retries without the attribute.

use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::ops::ControlFlow;
use core::pin::pin;

use super::policy::{DEFAULT_NAME, RetryPolicy};
use super::state::{CallContext, RetryState};
use crate::attempt_scope::AttemptScope;
use crate::backoff::Backoff;
use crate::budget::Spending;
use crate::classify::{FailureClass, FailureKind};
use crate::clock::{Delay, WaitMode};
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
    has_hook: bool,
    classifies: PhantomData<fn(&T, &E)>,
}

type WithoutHooks<'p, T, E, B, On, OnOk> =
    Retry<'p, T, E, B, On, OnOk, fn(&RetryEvent<'_, E>), fn(&GiveUpEvent<'_, E>)>;

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
    ) -> WithoutHooks<'_, T, E, B, impl Fn(&E) -> FailureClass, impl Fn(&T) -> FailureClass> {
        Retry {
            policy: self,
            on: move |error: &E| on(error).into(),
            on_ok: |_: &T| FailureClass::permanent(),
            on_retry: |_| {},
            on_give_up: |_| {},
            has_hook: false,
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
        let Self { policy, on, on_retry, on_give_up, has_hook, classifies, .. } = self;
        let on_ok = move |value: &T| on_ok(value).into();
        Retry { policy, on, on_ok, on_retry, on_give_up, has_hook, classifies }
    }

    /// Calls `hook` before each delay.
    pub fn on_retry<H: FnMut(&RetryEvent<'_, E>)>(
        self,
        hook: H,
    ) -> Retry<'p, T, E, B, On, OnOk, H, OnGiveUp> {
        let Self { policy, on, on_ok, on_give_up, classifies, .. } = self;
        let has_hook = true;
        Retry { policy, on, on_ok, on_retry: hook, on_give_up, has_hook, classifies }
    }

    /// Calls `hook` before a failure is returned.
    pub fn on_give_up<H: FnMut(&GiveUpEvent<'_, E>)>(
        self,
        hook: H,
    ) -> Retry<'p, T, E, B, On, OnOk, OnRetry, H> {
        let Self { policy, on, on_ok, on_retry, classifies, .. } = self;
        let has_hook = true;
        Retry { policy, on, on_ok, on_retry, on_give_up: hook, has_hook, classifies }
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
        let policy = self.policy;
        let spending = RetryState::spending(policy);
        let mut state = RetryState::begin(policy);
        state.initial_delay_blocking(policy);
        let setter = policy.setter(DEFAULT_NAME);
        let mut scope = state.scope(policy);
        loop {
            let attempt = named_attempt(state.bound(policy), setter, state.attempt_number());
            let out = {
                let _nested = enter_attempt_of(&attempt);
                scope.enter(&mut body)
            };
            let value = match self.value(&out) {
                Some(value) if value.kind == FailureKind::Permanent => {
                    state.succeeded(policy, Some(&spending));
                    return out;
                }
                value => value,
            };
            // No copy: a policy by hand blocks the thread by default.
            let step = self.settle(&mut state, policy, &spending, &scope, value, out);
            match step {
                ControlFlow::Break(out) => return out,
                ControlFlow::Continue(delay) => state.block(delay),
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
        let policy = self.policy;
        let spending = RetryState::spending(policy);
        let mut state = RetryState::begin(policy);
        if let Some(delay) = state.initial_delay(policy) {
            delay.wait().await;
        }
        let setter = policy.setter(DEFAULT_NAME);
        let mut scope = state.scope(policy);
        loop {
            // The variables of this block are dropped before the wait, so that the future is
            // `Send`.
            let delay = {
                let attempt = named_attempt(state.bound(policy), setter, state.attempt_number());
                let mut future = pin!(None);
                // The closure may run code of its own before the future, in the scope as well.
                let run = poll_fn(|cx| scope.run(future.as_mut(), cx, &mut body));
                let out = in_nested_attempt(attempt, run).await;
                let value = match self.value(&out) {
                    Some(value) if value.kind == FailureKind::Permanent => {
                        state.succeeded(policy, Some(&spending));
                        return out;
                    }
                    value => value,
                };
                let policy = policy.borrowed().at(DEFAULT_NAME, WaitMode::Async);
                match self.settle(&mut state, &policy, &spending, &scope, value, out) {
                    ControlFlow::Break(out) => return out,
                    ControlFlow::Continue(delay) => delay,
                }
            };
            delay.wait().await;
            spending.retrying();
        }
    }

    /// Returns the class of a value; `None` for an error.
    fn value<O: Outcome<Ok = T, Err = E>>(&self, out: &O) -> Option<FailureClass> {
        out.as_result().ok().map(&self.on_ok)
    }

    /// Decides after a failure, or after a value of this class that means "not yet".
    #[cold]
    #[inline(never)]
    fn settle<O: Outcome<Ok = T, Err = E>, C: Backoff>(
        &mut self,
        state: &mut RetryState,
        policy: &RetryPolicy<C>,
        spending: &Spending<'_>,
        scope: &AttemptScope,
        value: Option<FailureClass>,
        out: O,
    ) -> ControlFlow<O, Delay> {
        let context = CallContext { policy, spending: Some(spending) };
        let hooks = self.has_hook.then_some((&mut self.on_retry, &mut self.on_give_up));
        state.settle(
            context,
            scope.signal().as_ref(),
            out,
            &self.on,
            |_| value.unwrap_or(FailureClass::permanent()),
            no_text,
            hooks,
            keep_value,
            drop,
        )
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
