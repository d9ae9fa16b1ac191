//! [`HostCooldown`] as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use pin_project_lite::pin_project;
use resilience_core::__internal::{Sleep, reject};
use tower_layer::Layer;
use tower_service::Service;

use super::request::HttpRequest;
use super::{BoxError, PolicyRef};
use crate::classification::HttpResponse;
use crate::host_cooldown::{EnterState, HostCooldown};
use crate::ready_service::take_ready;

/// Shares the cooldown of a host between calls: [`HostCooldown`] as a layer.
///
/// The layer enters the cooldown before each request and observes each response. Below a
/// [`RetryLayer`](crate::RetryLayer), the layer applies to every attempt. A call with a wait above
/// [`max_wait`](HostCooldown::max_wait) fails with a boxed
/// [`Rejected`](resilience_core::Rejected).
///
/// A waiting call holds the ready service, and therefore a permit of an inner concurrency limit.
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct HostCooldownLayer {
    cooldown: PolicyRef<HostCooldown>,
}

impl HostCooldownLayer {
    /// Creates a layer for a `static` cooldown.
    pub const fn new(cooldown: &'static HostCooldown) -> Self {
        Self { cooldown: PolicyRef::Static(cooldown) }
    }

    /// Creates a layer for a cooldown that is not `static`.
    pub const fn shared(cooldown: Arc<HostCooldown>) -> Self {
        Self { cooldown: PolicyRef::Shared(cooldown) }
    }
}

impl<S> Layer<S> for HostCooldownLayer {
    type Service = HostCooldownService<S>;

    fn layer(&self, service: S) -> Self::Service {
        HostCooldownService { service, cooldown: self.cooldown.clone() }
    }
}

/// A service under a [`HostCooldownLayer`].
#[derive(Clone, Debug)]
pub struct HostCooldownService<S> {
    service: S,
    cooldown: PolicyRef<HostCooldown>,
}

impl<S, Request> Service<Request> for HostCooldownService<S>
where
    S: Service<Request, Response: HttpResponse, Error: Into<BoxError>> + Clone,
    Request: HttpRequest,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = HostCooldownFuture<S, Request>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        HostCooldownFuture {
            cooldown: self.cooldown.clone(),
            host: request.host().into(),
            state: EnterState::default(),
            service: take_ready(&mut self.service),
            request: Some(request),
            step: Step::Entering,
        }
    }
}

pin_project! {
    /// The future of a [`HostCooldownService`].
    #[must_use]
    pub struct HostCooldownFuture<S: Service<Request>, Request> {
        cooldown: PolicyRef<HostCooldown>,
        host: Box<str>,
        state: EnterState,
        service: S,
        // `None` after the request was sent.
        request: Option<Request>,
        #[pin]
        step: Step<S::Future>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Entering,
        Waiting { #[pin] wait: Sleep },
        Called { #[pin] future: F },
    }
}

impl<S, Request> Future for HostCooldownFuture<S, Request>
where
    S: Service<Request, Response: HttpResponse, Error: Into<BoxError>>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProjection::Entering => match this.cooldown.next_delay(this.host, this.state) {
                    Err(rejected) => return Poll::Ready(reject(rejected)),
                    Ok(Some(delay)) => this.step.set(Step::Waiting { wait: delay.wait() }),
                    Ok(None) => {
                        // The request is absent only if the future is polled after completion.
                        let Some(request) = this.request.take() else { return Poll::Pending };
                        let future = this.service.call(request);
                        this.step.set(Step::Called { future });
                    }
                },
                StepProjection::Waiting { wait } => {
                    ready!(wait.poll(cx));
                    this.step.set(Step::Entering);
                }
                StepProjection::Called { future } => {
                    let out = ready!(future.poll(cx)).map_err(Into::into);
                    if let Ok(response) = &out {
                        this.cooldown.observe(this.host, response);
                    }
                    return Poll::Ready(out);
                }
            }
        }
    }
}

impl<S: Service<Request>, Request> fmt::Debug for HostCooldownFuture<S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostCooldownFuture").field("host", &self.host).finish_non_exhaustive()
    }
}
