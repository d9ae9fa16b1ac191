//! Calls under a breaker, by hand.

use core::future::Future;

use super::{CircuitBreaker, CircuitGuard};
use crate::classify::FailureClass;
use crate::outcome::Outcome;
use crate::rejected::{FromRejected, reject};

impl CircuitBreaker {
    /// Calls `body` if the breaker lets it, and counts every `Err` as a failure. Which errors count
    /// is said by [`call_on`](Self::call_on).
    pub fn call<O>(&self, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        self.call_on(|_| true, body)
    }

    /// Calls `body` if the breaker lets it, and counts the errors that `on` says are transient or
    /// throttled; the others are neutral.
    pub fn call_on<O, C>(&self, on: impl FnOnce(&O::Err) -> C, body: impl FnOnce() -> O) -> O
    where
        O: Outcome<Err: FromRejected>,
        C: Into<FailureClass>,
    {
        match self.try_acquire() {
            Ok(guard) => record(guard, body(), on),
            Err(rejected) => reject(rejected),
        }
    }

    /// Calls `body` if the breaker lets it, where a value may be a failure too: one that `on_ok` says is
    /// transient or throttled counts as one, and one that stands, which is permanent, as a success.
    /// Errors count as in [`call_on`](Self::call_on).
    ///
    /// ```
    /// # extern crate resilience_core as resilience;
    /// use resilience::{CircuitBreaker, CircuitState, Rejected};
    ///
    /// static API: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
    ///
    /// let get = |status: u16| -> Result<u16, Rejected> {
    ///     API.call_on_ok(|_| true, |status| *status >= 500, || Ok(status))
    /// };
    /// assert_eq!((get(503), get(404)), (Ok(503), Ok(404))); // a failure, a success
    /// assert_eq!((get(503), get(503)), (Ok(503), Ok(503)));
    /// assert_eq!(API.state(), CircuitState::Open);
    /// assert!(get(200).is_err());
    /// ```
    pub fn call_on_ok<O, C, D>(
        &self,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        body: impl FnOnce() -> O,
    ) -> O
    where
        O: Outcome<Err: FromRejected>,
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        match self.try_acquire() {
            Ok(guard) => guard.judged(body(), on, on_ok, None).0,
            Err(rejected) => reject(rejected),
        }
    }

    /// Awaits `body` if the breaker lets it, and counts every `Err` as a failure. Which errors count
    /// is said by [`call_async_on`](Self::call_async_on).
    pub async fn call_async<O>(&self, body: impl Future<Output = O>) -> O
    where
        O: Outcome<Err: FromRejected>,
    {
        self.call_async_on(|_| true, body).await
    }

    /// Awaits `body` if the breaker lets it, and counts the errors that `on` says are transient or
    /// throttled; the others are neutral.
    pub async fn call_async_on<O, C>(
        &self,
        on: impl FnOnce(&O::Err) -> C,
        body: impl Future<Output = O>,
    ) -> O
    where
        O: Outcome<Err: FromRejected>,
        C: Into<FailureClass>,
    {
        match self.try_acquire() {
            Ok(guard) => record(guard, body.await, on),
            Err(rejected) => reject(rejected),
        }
    }

    /// Awaits `body` if the breaker lets it, where a value may be a failure too, as in
    /// [`call_on_ok`](Self::call_on_ok).
    pub async fn call_async_on_ok<O, C, D>(
        &self,
        on: impl FnOnce(&O::Err) -> C,
        on_ok: impl FnOnce(&O::Ok) -> D,
        body: impl Future<Output = O>,
    ) -> O
    where
        O: Outcome<Err: FromRejected>,
        C: Into<FailureClass>,
        D: Into<FailureClass>,
    {
        match self.try_acquire() {
            Ok(guard) => guard.judged(body.await, on, on_ok, None).0,
            Err(rejected) => reject(rejected),
        }
    }
}

fn record<O: Outcome, C: Into<FailureClass>>(
    guard: CircuitGuard<'_>,
    out: O,
    on: impl FnOnce(&O::Err) -> C,
) -> O {
    if out.is_ok() {
        guard.success();
        return out;
    }
    let (out,) = guard.settled(out, on, None);
    out
}
