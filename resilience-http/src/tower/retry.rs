//! Retrying a service.

use core::mem;
use core::task::{Context, Poll};
use std::fmt::Display;
use std::sync::Arc;

use resilience_core::{Backoff, RetryPolicy, Schedule};
use tower_layer::Layer;
use tower_service::Service;

use super::replay::{Replay, ReplayByClone, ReplayWith};
use super::request::HttpRequest;
use super::retry_future::{Call, RetryFuture};
use crate::classifier::Classifier;
use crate::error::HttpError;
use crate::key::{IdempotencyKey, is_idempotent};
use crate::response::HttpResponse;

/// Calls a service again while it fails, as [`RetryPolicy`] says: `#[retry]` with
/// [`classify`](crate::classify()) and [`classify_response`](crate::classify_response()), as a layer.
///
/// It sees the request, so it decides alone whether a repetition is safe: by the method, and by an
/// idempotency key where the request has one. Under a key a 409 that says when to come back is waited for.
///
/// A failed response is dropped, with its body, before the wait; the last one is returned as it is, and so
/// is the last error. A request whose body cannot be sent a second time has one attempt, and the log says
/// so. Where the service itself is not ready any more, its error is returned. A layer inside that turns a
/// call away, such as [`CircuitBreakerLayer`](crate::CircuitBreakerLayer), ends it at once, unless the
/// policy [waits for rejections](RetryPolicy::wait_for_rejections).
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::{cell::Cell, convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::{RetryPolicy, testing};
/// use resilience_http::RetryLayer;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let _guard = testing::no_waits();
/// let calls = Cell::new(0);
/// let flaky = service_fn(|_: Request<String>| {
///     calls.set(calls.get() + 1);
///     let status = if calls.get() < 3 { 503 } else { 200 };
///     ready(Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap()))
/// });
/// let service = ServiceBuilder::new()
///     .layer(RetryLayer::new(RetryPolicy::new().attempts(4)))
///     .service(flaky);
/// let request = Request::get("http://api.example/").body(String::new()).unwrap();
/// assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
/// assert_eq!(calls.get(), 3);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RetryLayer<B = Schedule, C = ReplayByClone> {
    settings: Settings<B, C>,
}

/// What all calls of a service have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings<B, C> {
    pub(super) policy: RetryPolicy<B>,
    pub(super) rules: Classifier,
    keys: bool,
    idempotent: bool,
    replay: C,
}

impl<B> RetryLayer<B> {
    /// Retries under this policy. What it says of [`idempotent`](RetryPolicy::idempotent) is not asked; the
    /// layer sees it.
    pub const fn new(policy: RetryPolicy<B>) -> Self {
        let rules = Classifier::new();
        Self {
            settings: Settings {
                policy,
                rules,
                keys: false,
                idempotent: false,
                replay: ReplayByClone,
            },
        }
    }
}

impl<B, C> RetryLayer<B, C> {
    /// The rules by which answers and errors are judged. Default: [`Classifier::new`].
    pub fn classifier(mut self, rules: Classifier) -> Self {
        self.settings.rules = rules;
        self
    }

    /// Whether a request whose method is not idempotent is given an
    /// [`IdempotencyKey`], unless it has one. It is made once for a call,
    /// before the first attempt and even where there are no others, and all attempts send it. For servers
    /// that know the header. Default: `false`.
    pub fn idempotency_keys(mut self, keys: bool) -> Self {
        self.settings.keys = keys;
        self
    }

    /// Whether every request may be applied twice, whatever its method. Default: `false`.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.settings.idempotent = idempotent;
        self
    }

    /// Says of a body that is not `Clone` how it is sent again, where it can be. With a body of `axum`,
    /// requests without one are retried by `.replay(|body: &Body| body.is_end_stream().then(Body::empty))`.
    pub fn replay<Body, F: Fn(&Body) -> Option<Body>>(
        self,
        again: F,
    ) -> RetryLayer<B, ReplayWith<F>> {
        let Settings { policy, rules, keys, idempotent, .. } = self.settings;
        let replay = ReplayWith(again);
        RetryLayer { settings: Settings { policy, rules, keys, idempotent, replay } }
    }
}

impl<S, B: Clone, C: Clone> Layer<S> for RetryLayer<B, C> {
    type Service = RetryService<S, B, C>;

    fn layer(&self, service: S) -> Self::Service {
        RetryService { service, settings: Arc::new(self.settings.clone()) }
    }
}

impl<B, C> Settings<B, C> {
    /// The request as all attempts send it, and whether it may be applied twice.
    fn prepare(&self, request: &mut impl HttpRequest) -> bool {
        let by_itself = is_idempotent(request.method(), request.headers());
        if self.keys && !by_itself {
            IdempotencyKey::new().apply(request.headers_mut());
        }
        self.keys || by_itself || self.idempotent
    }

    /// The request for the attempt after the one that `call` is about to make, if there can be one.
    pub(super) fn copy<Request>(&self, call: &Call, request: &Request) -> Option<Request>
    where
        C: Replay<Request>,
    {
        if call.is_last(&self.policy) { None } else { self.replay.replay(request) }
    }
}

/// A service under a [`RetryLayer`].
#[derive(Debug)]
pub struct RetryService<S, B = Schedule, C = ReplayByClone> {
    service: S,
    settings: Arc<Settings<B, C>>,
}

impl<S: Clone, B, C> Clone for RetryService<S, B, C> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, Request, B, C> Service<Request> for RetryService<S, B, C>
where
    S: Service<Request, Response: HttpResponse, Error: HttpError + Display> + Clone,
    Request: HttpRequest,
    B: Backoff,
    C: Replay<Request>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S, Request, B, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let idempotent = self.settings.prepare(&mut request);
        let call = Call::begin(&self.settings.policy, request.headers(), idempotent);
        // The call goes to the one that said it was ready, and the next to another that will be asked.
        let next = self.service.clone();
        let service = mem::replace(&mut self.service, next);
        RetryFuture::start(Arc::clone(&self.settings), service, call, request)
    }
}
