//! `#[timeout]` as a layer.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;
use resilience_core::__internal::{Site, Timeout, reject, timed_out, timeout_call, timeout_site};
use resilience_core::{InvalidPolicy, PolicyKind, Rejected};
use resilience_rules::timeout as rules;
use tower_layer::Layer;
use tower_service::Service;

use super::BoxError;

/// Limits the time of a call, and drops the call after the limit: `#[timeout]` as a layer.
///
/// Below a [`RetryLayer`](crate::RetryLayer), the limit applies to one attempt. Above a
/// `RetryLayer`, the limit applies to all attempts together, and the retry begins no delay that
/// ends at the limit or later.
///
/// The end is the [deadline](resilience_core::context) of the code inside, also of the code that
/// runs before the service returns its future: of attributes, of layers, and of the headers of a
/// [`ClientContextLayer`](crate::ClientContextLayer).
///
/// The limit starts with the call. A deadline of the code around the call, or of the code that
/// polls the future first, ends the call earlier.
///
/// The error is a boxed [`Rejected`](resilience_core::Rejected) of the kind
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
    site: Site,
}

impl TimeoutLayer {
    /// Creates a layer with this limit for each call.
    #[track_caller]
    pub const fn new(limit: Duration) -> Self {
        Self { limit, site: timeout_site(PolicyKind::Timeout.as_str(), Some(limit), 0) }
    }

    /// Sets the name in rejections. Default: `"timeout"`.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.site.name = name;
        self
    }

    /// Checks the limit, for a limit from a file. The rule and its message are those of
    /// `#[timeout]`.
    ///
    /// # Errors
    /// [`InvalidPolicy`] for a limit of zero.
    pub const fn validate(&self) -> Result<(), InvalidPolicy> {
        rules::limit(self.limit)
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
        let TimeoutLayer { site, limit, .. } = self.settings;
        let (within, overdue) = match timeout_call(limit, site, || self.service.call(request)) {
            Ok(within) => (Some(within), None),
            Err(time) => (None, Some(timed_out(&site, time))),
        };
        TimeoutFuture { within, overdue, settings: self.settings }
    }
}

pin_project! {
    /// The future of a [`TimeoutService`].
    #[must_use]
    pub struct TimeoutFuture<F> {
        #[pin]
        within: Option<Timeout<Site, F>>,
        // The rejection after the deadline of the context: the service was not called. The future
        // may leave the context.
        overdue: Option<Rejected>,
        settings: TimeoutLayer,
    }
}

impl<R, E: Into<BoxError>, F: Future<Output = Result<R, E>>> Future for TimeoutFuture<F> {
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let site = this.settings.site;
        if let Some(overdue) = this.overdue.take() {
            return Poll::Ready(reject(overdue));
        }
        let ended = match this.within.as_pin_mut() {
            Some(mut within) => {
                within.as_mut().take_deadline();
                ready!(within.poll(cx))
            }
            // Polled again after the rejection.
            None => Err(None),
        };
        Poll::Ready(match ended {
            Ok(out) => {
                site.count_success();
                out.map_err(Into::into)
            }
            Err(time) => reject(timed_out(&site, time)),
        })
    }
}

impl<F> fmt::Debug for TimeoutFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeoutFuture").field("settings", &self.settings).finish_non_exhaustive()
    }
}
