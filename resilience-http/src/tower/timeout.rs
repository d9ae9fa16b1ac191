//! `#[timeout]` as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;
use resilience_core::__internal::{Timeout, reject, timeout};
use resilience_core::Rejected;
use tower_layer::Layer;
use tower_service::Service;

use super::BoxError;

/// Limits the time of a call, and drops the call after the limit: `#[timeout]` as a layer.
///
/// Below a [`RetryLayer`](crate::RetryLayer), the limit applies to one attempt. Above a
/// `RetryLayer`, the limit applies to all attempts together.
///
/// The error is a boxed [`Rejected`] of the kind
/// [`TimedOut`](resilience_core::RejectedKind::TimedOut). The outer layers treat a timeout as a
/// transient failure of a request that may have been applied.
///
/// Most clients complete the call with the head of the response. The limit does not cover the
/// body.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::pending, time::Duration};
/// use resilience::Rejected;
/// use resilience::http::TimeoutLayer;
/// use tower::{Service, ServiceBuilder, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let mut service = ServiceBuilder::new()
///     .layer(TimeoutLayer::new(Duration::from_secs(2)))
///     .service(service_fn(|()| pending::<Result<(), Infallible>>()));
/// let error = service.call(()).await.unwrap_err();
/// assert!(error.is::<Rejected>());
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct TimeoutLayer {
    limit: Duration,
    name: &'static str,
}

impl TimeoutLayer {
    /// Creates a layer with this limit for each call.
    pub const fn new(limit: Duration) -> Self {
        Self { limit, name: "timeout" }
    }

    /// Sets the name in rejections. Default: `"timeout"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = TimeoutService<S>;

    fn layer(&self, service: S) -> Self::Service {
        TimeoutService { service, settings: *self }
    }
}

/// A service under a [`TimeoutLayer`].
#[derive(Clone, Copy, Debug)]
pub struct TimeoutService<S> {
    service: S,
    settings: TimeoutLayer,
}

impl<S, Request> Service<Request> for TimeoutService<S>
where
    S: Service<Request, Error: Into<BoxError>>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.service.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let TimeoutLayer { limit, name } = self.settings;
        TimeoutFuture { within: timeout(limit, None, self.service.call(request)), name }
    }
}

pin_project! {
    /// The future of a [`TimeoutService`].
    #[must_use]
    pub struct TimeoutFuture<F> {
        #[pin]
        within: Timeout<F>,
        name: &'static str,
    }
}

impl<R, E: Into<BoxError>, F: Future<Output = Result<R, E>>> Future for TimeoutFuture<F> {
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        Poll::Ready(match ready!(this.within.poll(cx)) {
            Ok(out) => out.map_err(Into::into),
            Err(limit) => reject(Rejected::timed_out(this.name, limit)),
        })
    }
}

impl<F> fmt::Debug for TimeoutFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutFuture").field("name", &self.name).finish_non_exhaustive()
    }
}
