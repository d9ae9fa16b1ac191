//! A service that is left alone while it fails.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use pin_project_lite::pin_project;
use resilience_core::__internal::{DetachedGuard, Keyed, reject};
use resilience_core::{CircuitBreaker, CircuitGuard, FailureKind, Rejected};
use tower_layer::Layer;
use tower_service::Service;

use super::request::HttpRequest;
use super::{BoxError, Handle};
use crate::classifier::Classifier;
use crate::error::HttpError;
use crate::gate::lower;
use crate::response::HttpResponse;

/// Stops calling a service that keeps failing, then tries with care: `#[circuit_breaker]` as a layer.
///
/// An answer that is worth another attempt counts as a failure, such as a 503 or a 429, and any other as
/// a success, a 404 too. An error counts as for the attribute: transient and throttled ones are failures,
/// permanent ones and calls that were turned away inside say nothing. A call that is turned away has a
/// boxed [`Rejected`] for its error, and the service has not seen it.
///
/// ```
/// # extern crate resilience_core as resilience;
/// use core::{convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::{CircuitBreaker, Rejected};
/// use resilience_http::CircuitBreakerLayer;
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
///
/// let mut service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(&BREAKER))
///     .service(service_fn(|_: Request<()>| {
///         let answer = Response::builder().status(503).body(()).unwrap();
///         ready(Ok::<_, Infallible>(answer))
///     }));
/// assert_eq!(service.call(Request::new(())).await.unwrap().status(), 503);
/// let error = service.call(Request::new(())).await.unwrap_err();
/// assert!(error.is::<Rejected>());
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct CircuitBreakerLayer {
    breakers: Breakers,
    rules: Classifier,
}

#[derive(Clone, Debug)]
enum Breakers {
    One(Handle<CircuitBreaker>),
    PerHost(Arc<Keyed<CircuitBreaker>>),
}

impl CircuitBreakerLayer {
    /// One breaker for all calls.
    pub const fn new(breaker: &'static CircuitBreaker) -> Self {
        Self::of(Breakers::One(Handle::Static(breaker)))
    }

    /// The same where it is not `static`.
    pub const fn shared(breaker: Arc<CircuitBreaker>) -> Self {
        Self::of(Breakers::One(Handle::Shared(breaker)))
    }

    /// A breaker for each host and port, made by `make`, so that one that fails takes no other with it.
    /// At most `max_hosts` are kept; the idle ones go first, an open one never.
    pub fn per_host(max_hosts: u32, make: fn() -> CircuitBreaker) -> Self {
        Self::of(Breakers::PerHost(Arc::new(Keyed::new(max_hosts, make))))
    }

    const fn of(breakers: Breakers) -> Self {
        Self { breakers, rules: Classifier::new() }
    }

    /// The rules by which answers and errors are judged. Default: [`Classifier::new`].
    pub const fn classifier(mut self, rules: Classifier) -> Self {
        self.rules = rules;
        self
    }

    fn breaker(&self, request: &impl HttpRequest) -> Handle<CircuitBreaker> {
        match &self.breakers {
            Breakers::One(breaker) => breaker.clone(),
            Breakers::PerHost(hosts) => Handle::Shared(hosts.get(&*lower(request.host()))),
        }
    }
}

impl<S> Layer<S> for CircuitBreakerLayer {
    type Service = CircuitBreakerService<S>;

    fn layer(&self, service: S) -> Self::Service {
        CircuitBreakerService { service, settings: self.clone() }
    }
}

/// A service under a [`CircuitBreakerLayer`].
#[derive(Clone, Debug)]
pub struct CircuitBreakerService<S> {
    service: S,
    settings: CircuitBreakerLayer,
}

impl<S, Request> Service<Request> for CircuitBreakerService<S>
where
    S: Service<Request, Response: HttpResponse, Error: HttpError + Into<BoxError>>,
    Request: HttpRequest,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = CircuitBreakerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match Permit::of(self.settings.breaker(&request)) {
            Ok(permit) => {
                let rules = self.settings.rules;
                let future = self.service.call(request);
                CircuitBreakerFuture { step: Step::Called { permit, rules, future } }
            }
            Err(rejected) => CircuitBreakerFuture { step: Step::Rejected { rejected } },
        }
    }
}

/// The right to make one call, with its breaker.
#[derive(Debug)]
struct Permit {
    breaker: Handle<CircuitBreaker>,
    detached: Option<DetachedGuard>,
}

impl Permit {
    fn of(breaker: Handle<CircuitBreaker>) -> Result<Self, Rejected> {
        let detached = Some(breaker.try_acquire()?.detach());
        Ok(Self { breaker, detached })
    }

    fn guard(&mut self) -> Option<CircuitGuard<'_>> {
        self.detached.take().map(|detached| self.breaker.attach(detached))
    }

    /// Records how the call ended.
    fn settle<R: HttpResponse, E: HttpError>(
        &mut self,
        rules: &Classifier,
        out: Result<R, E>,
    ) -> Result<R, E> {
        let Some(guard) = self.guard() else { return out };
        match &out {
            Ok(response) if rules.response(response).kind == FailureKind::Permanent => {
                guard.success()
            }
            Ok(_) => guard.failure(),
            Err(_) => return guard.record_error(out, |error| rules.error(error), None).0,
        }
        out
    }
}

/// A call that was dropped counts as one that was given up.
impl Drop for Permit {
    fn drop(&mut self) {
        drop(self.guard());
    }
}

pin_project! {
    /// See [`CircuitBreakerService`].
    #[must_use]
    pub struct CircuitBreakerFuture<F> {
        #[pin]
        step: Step<F>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Rejected { rejected: Rejected },
        Called { permit: Permit, rules: Classifier, #[pin] future: F },
    }
}

impl<R, E, F> Future for CircuitBreakerFuture<F>
where
    R: HttpResponse,
    E: HttpError + Into<BoxError>,
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().step.project() {
            StepProjection::Rejected { rejected } => reject(rejected.clone()),
            StepProjection::Called { permit, rules, future } => {
                let out = ready!(future.poll(cx));
                permit.settle(rules, out).map_err(Into::into)
            }
        })
    }
}

impl<F> fmt::Debug for CircuitBreakerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerFuture").finish_non_exhaustive()
    }
}
