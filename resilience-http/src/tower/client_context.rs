//! The context of the running code in the requests of a client, as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;
use resilience_core::__internal::overdue;
use resilience_core::Rejected;
use tower_layer::Layer;
use tower_service::Service;

use super::BoxError;
use super::request::HttpRequest;
use crate::wire::ContextHeaders;

/// Writes the time left, the attempt number and the priority of the
/// [context](resilience_core::context) into each request, at the moment of sending.
///
/// Below a [`RetryLayer`](crate::RetryLayer), each attempt has its own values. A call after the
/// deadline is not sent: the error is a boxed [`Rejected`] of the kind
/// [`DeadlineExceeded`](resilience_core::RejectedKind::DeadlineExceeded).
///
/// ```
/// use core::{convert::Infallible, time::Duration};
/// use http::{Request, Response};
/// use resilience::{context::Context, http::ClientContextLayer};
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut client = ServiceBuilder::new()
///     .layer(ClientContextLayer::new())
///     .service(service_fn(|request: Request<()>| async move {
///         assert!(request.headers().contains_key("x-request-timeout-ms"));
///         Ok::<_, Infallible>(Response::new(()))
///     }));
/// let context = Context::new().deadline(Duration::from_secs(5), "import");
/// context.scope(async { client.call(Request::new(())).await }).await.unwrap();
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct ClientContextLayer {
    headers: ContextHeaders,
}

impl ClientContextLayer {
    /// Creates a layer with the default names of the headers.
    pub const fn new() -> Self {
        Self { headers: ContextHeaders::new() }
    }

    /// Sets the names of the headers.
    pub fn headers(mut self, headers: ContextHeaders) -> Self {
        self.headers = headers;
        self
    }
}

impl<S> Layer<S> for ClientContextLayer {
    type Service = ClientContextService<S>;

    fn layer(&self, service: S) -> Self::Service {
        ClientContextService { service, headers: self.headers.clone() }
    }
}

/// A service under a [`ClientContextLayer`].
#[derive(Clone, Debug)]
pub struct ClientContextService<S> {
    service: S,
    headers: ContextHeaders,
}

impl<S, Request> Service<Request> for ClientContextService<S>
where
    S: Service<Request, Error: Into<BoxError>>,
    Request: HttpRequest,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ClientContextFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        if let Some(rejected) = overdue("client", None) {
            return ClientContextFuture::Rejected { rejected: Some(rejected) };
        }
        self.headers.write(request.headers_mut());
        ClientContextFuture::Sent { future: self.service.call(request) }
    }
}

pin_project! {
    /// The future of a [`ClientContextService`].
    #[project = FutureProjection]
    #[must_use]
    #[allow(missing_docs, reason = "`pin_project` accepts no comment on a field of a variant")]
    pub enum ClientContextFuture<F> {
        /// The request is sent.
        Sent { #[pin] future: F },
        /// The deadline has passed.
        Rejected { rejected: Option<Rejected> },
    }
}

impl<R, E: Into<BoxError>, F: Future<Output = Result<R, E>>> Future for ClientContextFuture<F> {
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project() {
            FutureProjection::Sent { future } => future.poll(cx).map_err(Into::into),
            // The rejection is absent only if the future is polled after completion.
            FutureProjection::Rejected { rejected } => {
                rejected.take().map_or(Poll::Pending, |rejected| Poll::Ready(Err(rejected.into())))
            }
        }
    }
}

impl<F> fmt::Debug for ClientContextFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientContextFuture").finish_non_exhaustive()
    }
}
