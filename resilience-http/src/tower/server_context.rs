//! The context of a request on a server, as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll};
use core::time::Duration;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode, header};
use pin_project_lite::pin_project;
use resilience_core::__internal::{EFFECT_METADATA, effect_metadata};
use resilience_core::context::{Context, InContext};
use resilience_core::{Effect, InvalidPolicy, RejectedKind};
use resilience_rules::timeout as rules;
use tower_layer::Layer;
use tower_service::Service;

use crate::protocol::Protocol;
use crate::wire::{ContextHeaders, Refusals};

/// Takes the deadline, the attempt number and the priority from a request, and runs the handler in
/// that [context](resilience_core::context).
///
/// - **Deadline.** The time of the client is bounded by the maximum of the server. A request
///   without a deadline gets the maximum. The layer does not interrupt the handler: the attributes
///   below the handler respect the deadline, and a [`TimeoutLayer`](crate::TimeoutLayer) inside
///   ends the handler.
/// - **Refusal.** A request whose deadline has passed is refused before the handler runs: 504, or
///   `DEADLINE_EXCEEDED` for gRPC.
/// - **Wrong clocks.** At most 20 % of the requests of ten seconds, and at least one request, are
///   refused for their deadline. Further requests run with the maximum of the server, so that a
///   wrong clock cannot close the service (as the `DeadlineFilter` of Finagle). The services of a
///   layer and of its clones share the count: the routes of a router are one server.
///
/// ```
/// use core::{convert::Infallible, time::Duration};
/// use http::{Request, Response};
/// use resilience::{context, http::ServerContextLayer};
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut service = ServiceBuilder::new()
///     .layer(ServerContextLayer::new(Duration::from_secs(30)))
///     .service(service_fn(|_: Request<()>| async {
///         assert!(context::remaining() <= Some(Duration::from_secs(5)));
///         Ok::<_, Infallible>(Response::new(String::new()))
///     }));
/// let request = Request::builder().header("x-request-timeout-ms", "5000");
/// let response = service.call(request.body(()).unwrap()).await.unwrap();
/// assert_eq!(response.status(), 200);
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct ServerContextLayer {
    max: Duration,
    headers: ContextHeaders,
    refusals: Arc<Refusals>,
}

impl ServerContextLayer {
    /// Creates a layer with this longest time for a request.
    pub fn new(max: Duration) -> Self {
        Self { max, headers: ContextHeaders::new(), refusals: Arc::default() }
    }

    /// Checks the longest time for a request, for a time from a file. The rule and its message are
    /// those of `#[timeout]`.
    ///
    /// # Errors
    /// [`InvalidPolicy`] for zero.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        rules::limit(self.max)
    }

    /// Sets the names of the headers.
    pub fn headers(mut self, headers: ContextHeaders) -> Self {
        self.headers = headers;
        self
    }
}

impl<S> Layer<S> for ServerContextLayer {
    type Service = ServerContextService<S>;

    fn layer(&self, service: S) -> Self::Service {
        ServerContextService { service, settings: self.clone() }
    }
}

/// A service under a [`ServerContextLayer`].
#[derive(Clone, Debug)]
pub struct ServerContextService<S> {
    service: S,
    settings: ServerContextLayer,
}

/// The name of the deadline in rejections.
const CLIENT: &str = "the client";
const SERVER: &str = "the server";

impl<S, B, R> Service<Request<B>> for ServerContextService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ServerContextFuture<S::Future, S::Response>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let ServerContextLayer { max, headers, refusals } = &self.settings;
        let left = headers.time_left(request.headers());
        let is_over = left.is_some_and(|left| left.is_zero());
        if !refusals.admit(is_over) {
            let refused = refuse(Protocol::of(request.headers()));
            return ServerContextFuture::Refused { response: Some(refused) };
        }
        let is_of_client = left.is_some_and(|left| left < *max) && !is_over;
        let set_by = if is_of_client { CLIENT } else { SERVER };
        let context = if is_over {
            // The deadline of the client is not believed.
            Context::new().deadline(*max, set_by)
        } else {
            headers.read(request.headers(), *max, set_by)
        };
        let future = context.run(|| self.service.call(request));
        ServerContextFuture::Admitted { future: context.scope(future) }
    }
}

/// Returns the response to a request after its deadline.
fn refuse<R: Default>(protocol: Protocol) -> Response<R> {
    let kind = RejectedKind::DeadlineExceeded;
    let mut response = Response::new(R::default());
    response.extensions_mut().insert(Effect::NotSent);
    if protocol.is_grpc() {
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static(protocol.error_type());
        headers.insert(header::CONTENT_TYPE, content_type);
        headers.insert("grpc-status", HeaderValue::from(u16::from(kind.grpc_code())));
        let message = HeaderValue::from_static("deadline exceeded before the call started");
        headers.insert("grpc-message", message);
        if let Some(effect) = effect_metadata(Effect::NotSent) {
            headers.insert(EFFECT_METADATA, HeaderValue::from_static(effect));
        }
    } else {
        let status = StatusCode::from_u16(kind.http_status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    response
}

pin_project! {
    /// The future of a [`ServerContextService`].
    #[project = FutureProjection]
    #[must_use]
    #[allow(missing_docs, reason = "`pin_project` accepts no comment on a field of a variant")]
    pub enum ServerContextFuture<F, R> {
        /// The handler runs.
        Admitted { #[pin] future: InContext<F> },
        /// The request is refused.
        Refused { response: Option<R> },
    }
}

impl<F: Future<Output = Result<R, E>>, R, E> Future for ServerContextFuture<F, R> {
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        match self.project() {
            FutureProjection::Admitted { future } => future.poll(cx),
            // The response is absent only if the future is polled after completion.
            FutureProjection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
        }
    }
}

impl<F, R> fmt::Debug for ServerContextFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerContextFuture").finish_non_exhaustive()
    }
}
