//! `#[circuit_breaker]` as a layer.

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
use super::{BoxError, PolicyRef};
use crate::classification::{Classifier, HttpError, HttpResponse};
use crate::host_cooldown::normalize_host;

/// Rejects calls while the service fails: `#[circuit_breaker]` as a layer.
///
/// - A retryable response, such as a 503 or a 429, counts as a failure.
/// - Any other response, such as a 404, counts as a success.
/// - A transient or throttled error counts as a failure.
/// - A permanent error and a rejection by an inner layer do not count.
///
/// The error of a rejected call is a boxed [`Rejected`], and the service does not see the request.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::ready};
/// use http::{Request, Response};
/// use resilience::{CircuitBreaker, Rejected};
/// use resilience::http::CircuitBreakerLayer;
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
///
/// let mut service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::new(&BREAKER))
///     .service(service_fn(|_: Request<()>| {
///         let response = Response::builder().status(503).body(()).unwrap();
///         ready(Ok::<_, Infallible>(response))
///     }));
/// assert_eq!(service.call(Request::new(())).await.unwrap().status(), 503);
/// let error = service.call(Request::new(())).await.unwrap_err();
/// assert!(error.is::<Rejected>());
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct CircuitBreakerLayer {
    breakers: Breakers,
    rules: Classifier,
}

#[derive(Clone, Debug)]
enum Breakers {
    One(PolicyRef<CircuitBreaker>),
    PerHost(Arc<Keyed<CircuitBreaker>>),
}

impl CircuitBreakerLayer {
    /// Creates a layer with one breaker for all calls.
    pub const fn new(breaker: &'static CircuitBreaker) -> Self {
        Self::of(Breakers::One(PolicyRef::Static(breaker)))
    }

    /// Creates a layer with one breaker that is not `static`.
    pub const fn shared(breaker: Arc<CircuitBreaker>) -> Self {
        Self::of(Breakers::One(PolicyRef::Shared(breaker)))
    }

    /// Creates a layer with a breaker for each host and port, made by `make`.
    ///
    /// At most `max_hosts` breakers exist at the same time. Idle breakers are evicted first, open
    /// breakers never.
    pub fn per_host(max_hosts: u32, make: fn() -> CircuitBreaker) -> Self {
        Self::of(Breakers::PerHost(Arc::new(Keyed::new(max_hosts, make))))
    }

    const fn of(breakers: Breakers) -> Self {
        Self { breakers, rules: Classifier::new() }
    }

    /// Sets the classification of responses and errors. Default: [`Classifier::new`].
    pub const fn classifier(mut self, rules: Classifier) -> Self {
        self.rules = rules;
        self
    }

    fn breaker(&self, request: &impl HttpRequest) -> PolicyRef<CircuitBreaker> {
        match &self.breakers {
            Breakers::One(breaker) => breaker.clone(),
            Breakers::PerHost(hosts) => {
                PolicyRef::Shared(hosts.get(&*normalize_host(request.host())))
            }
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
        match CallPermit::of(self.settings.breaker(&request)) {
            Ok(permit) => {
                let rules = self.settings.rules;
                let future = self.service.call(request);
                CircuitBreakerFuture { step: Step::Called { permit, rules, future } }
            }
            Err(rejected) => CircuitBreakerFuture { step: Step::Rejected { rejected } },
        }
    }
}

/// The permit of a breaker for one call.
#[derive(Debug)]
struct CallPermit {
    breaker: PolicyRef<CircuitBreaker>,
    detached: Option<DetachedGuard>,
}

impl CallPermit {
    fn of(breaker: PolicyRef<CircuitBreaker>) -> Result<Self, Rejected> {
        let detached = Some(breaker.try_acquire()?.detach());
        Ok(Self { breaker, detached })
    }

    fn guard(&mut self) -> Option<CircuitGuard<'_>> {
        self.detached.take().map(|detached| self.breaker.attach(detached))
    }

    /// Records the outcome of the call.
    fn record<R: HttpResponse, E: HttpError>(
        &mut self,
        rules: &Classifier,
        out: Result<R, E>,
    ) -> Result<R, E> {
        let Some(guard) = self.guard() else { return out };
        match &out {
            Ok(response) if rules.response(response).kind == FailureKind::Permanent => {
                guard.success();
            }
            Ok(_) => guard.failure(),
            Err(_) => return guard.record_error(out, |error| rules.error(error), |_| None, None).0,
        }
        out
    }
}

/// Records a cancelled call.
impl Drop for CallPermit {
    fn drop(&mut self) {
        drop(self.guard());
    }
}

pin_project! {
    /// The future of a [`CircuitBreakerService`].
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
        Called { permit: CallPermit, rules: Classifier, #[pin] future: F },
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
                permit.record(rules, out).map_err(Into::into)
            }
        })
    }
}

impl<F> fmt::Debug for CircuitBreakerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerFuture").finish_non_exhaustive()
    }
}
