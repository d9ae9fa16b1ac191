//! `#[rate_limit]` as a layer.

use std::sync::Arc;

use resilience_core::RateLimiter;
use tower_layer::Layer;

use super::PolicyRef;
use super::gated_service::{Entry, Gate, GatedService, Permit};

/// Limits the rate of calls: `#[rate_limit]` as a layer, for any service.
///
/// A call above the rate is rejected with a boxed [`Rejected`](resilience_core::Rejected) of the
/// kind [`RateLimited`](resilience_core::RejectedKind::RateLimited), or waits as the
/// [`wait`](RateLimiter::wait) of the limiter allows. A waiting call holds no reservation of the
/// service. The permit is used when the call is admitted: a call that then waits for the service is
/// sent later.
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::ready, time::Duration};
/// use resilience::{RateLimiter, Rejected};
/// use resilience::http::RateLimitLayer;
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// static SEARCHES: RateLimiter = RateLimiter::new(1, Duration::from_secs(60)).name("search");
///
/// let mut service = ServiceBuilder::new()
///     .layer(RateLimitLayer::new(&SEARCHES))
///     .service(service_fn(|()| ready(Ok::<_, Infallible>(7))));
/// assert_eq!(service.ready().await?.call(()).await?, 7);
/// let error = service.ready().await?.call(()).await.unwrap_err();
/// assert!(error.downcast_ref::<Rejected>().unwrap().retry_after().is_some());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct RateLimitLayer {
    limiter: PolicyRef<RateLimiter>,
}

impl RateLimitLayer {
    /// Creates a layer for a `static` limiter.
    pub const fn new(limiter: &'static RateLimiter) -> Self {
        Self { limiter: PolicyRef::Static(limiter) }
    }

    /// Creates a layer for a limiter that is not `static`.
    pub const fn shared(limiter: Arc<RateLimiter>) -> Self {
        Self { limiter: PolicyRef::Shared(limiter) }
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimitService<S>;

    fn layer(&self, service: S) -> Self::Service {
        self.limiter.register();
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`RateLimitLayer`].
pub type RateLimitService<S> = GatedService<S, RateLimitLayer>;

impl<Request, R, E> Gate<Request, R, E> for RateLimitLayer {
    type Permit = UsedPermit;

    fn enter(&self, _: &Request) -> Entry<UsedPermit> {
        let limiter = self.limiter.clone();
        Entry::by(async move { limiter.acquire().await.map(|()| UsedPermit) })
    }

    fn is_clear(&self) -> bool {
        self.limiter.available() > 0
    }
}

/// A permit that the limiter has counted. There is nothing to return.
#[derive(Debug)]
pub struct UsedPermit;

impl<R, E> Permit<R, E> for UsedPermit {}
