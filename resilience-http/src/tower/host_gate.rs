//! The gate for hosts, in front of a service.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use pin_project_lite::pin_project;
use resilience_core::__internal::{Sleep, reject};
use tower_layer::Layer;
use tower_service::Service;

use super::request::HttpRequest;
use super::{BoxError, Handle};
use crate::gate::{HostCooldown, Turn};
use crate::response::HttpResponse;

/// Lets the refusal of a host count for all calls to it: [`HostCooldown`] as a layer, asked before each request
/// and shown each response.
///
/// Below a [`RetryLayer`](crate::RetryLayer) it stands before every attempt. A call whose wait would be
/// longer than the gate allows has a boxed [`Rejected`](resilience_core::Rejected) for its error. One that
/// waits keeps the service that said it was ready, and so its place where calls at once are limited.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct HostCooldownLayer {
    gate: Handle<HostCooldown>,
}

impl HostCooldownLayer {
    /// Calls pass this gate.
    pub const fn new(gate: &'static HostCooldown) -> Self {
        Self { gate: Handle::Static(gate) }
    }

    /// The same where it is not `static`.
    pub const fn shared(gate: Arc<HostCooldown>) -> Self {
        Self { gate: Handle::Shared(gate) }
    }
}

impl<S> Layer<S> for HostCooldownLayer {
    type Service = HostCooldownService<S>;

    fn layer(&self, service: S) -> Self::Service {
        HostCooldownService { service, gate: self.gate.clone() }
    }
}

/// A service under a [`HostCooldownLayer`].
#[derive(Clone, Debug)]
pub struct HostCooldownService<S> {
    service: S,
    gate: Handle<HostCooldown>,
}

impl<S, Request> Service<Request> for HostCooldownService<S>
where
    S: Service<Request, Response: HttpResponse, Error: Into<BoxError>> + Clone,
    Request: HttpRequest,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = HostGateFuture<S, Request>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The call goes to the one that said it was ready, and the next to another that will be asked.
        let next = self.service.clone();
        HostGateFuture {
            gate: self.gate.clone(),
            host: request.host().into(),
            turn: Turn::default(),
            service: mem::replace(&mut self.service, next),
            request: Some(request),
            step: Step::Asking,
        }
    }
}

pin_project! {
    /// See [`HostCooldownService`].
    #[must_use]
    pub struct HostGateFuture<S: Service<Request>, Request> {
        gate: Handle<HostCooldown>,
        host: Box<str>,
        turn: Turn,
        service: S,
        // Until it is sent.
        request: Option<Request>,
        #[pin]
        step: Step<S::Future>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Asking,
        Waiting { #[pin] wait: Sleep },
        Called { #[pin] future: F },
    }
}

impl<S, Request> Future for HostGateFuture<S, Request>
where
    S: Service<Request, Response: HttpResponse, Error: Into<BoxError>>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.step.as_mut().project() {
                StepProjection::Asking => match this.gate.next(this.host, this.turn) {
                    Err(rejected) => return Poll::Ready(reject(rejected)),
                    Ok(Some(pause)) => this.step.set(Step::Waiting { wait: pause.wait() }),
                    Ok(None) => {
                        // It is there, unless somebody polls after the end.
                        let Some(request) = this.request.take() else { return Poll::Pending };
                        let future = this.service.call(request);
                        this.step.set(Step::Called { future });
                    }
                },
                StepProjection::Waiting { wait } => {
                    ready!(wait.poll(cx));
                    this.step.set(Step::Asking);
                }
                StepProjection::Called { future } => {
                    let out = ready!(future.poll(cx)).map_err(Into::into);
                    if let Ok(response) = &out {
                        this.gate.observe(this.host, response);
                    }
                    return Poll::Ready(out);
                }
            }
        }
    }
}

impl<S: Service<Request>, Request> fmt::Debug for HostGateFuture<S, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostGateFuture").field("host", &self.host).finish_non_exhaustive()
    }
}
