//! `#[rate_limit]` as a layer.

use core::mem;
use std::sync::Arc;

use resilience_core::__internal::Defined;
use resilience_core::RateLimiter;
use tower_layer::Layer;

use super::gated_service::{Entry, Gate, GatedService, Permit};
use super::handover::{HandedOver, Handover};
use super::policy_source::{OnePolicy, PolicyByRequest, PolicyFor, PolicyRef, PolicySource};

/// Limits the rate of calls: `#[rate_limit]` as a layer, for any service.
///
/// A call above the rate is rejected with a boxed [`Rejected`](resilience_core::Rejected) of the
/// kind [`RateLimited`](resilience_core::RejectedKind::RateLimited), or waits as the
/// [`wait`](RateLimiter::wait) of the limiter allows. A waiting call holds no reservation of the
/// service. The permit is used when the call is admitted: a call that then waits for the service is
/// sent later. The first poll of the future calls the service. The permit returns if the request is
/// not sent: the future is dropped before its first poll or while it waits for the service, or a
/// layer of this crate directly below rejects the call, or the call is dropped in the queue of such
/// a layer.
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
pub struct RateLimitLayer<P = OnePolicy<RateLimiter>> {
    limiters: P,
}

impl RateLimitLayer {
    /// Creates a layer for a `static` limiter.
    pub const fn new(limiter: &'static RateLimiter) -> Self {
        Self { limiters: OnePolicy(PolicyRef::Static(limiter)) }
    }

    /// Creates a layer with a limiter for each request: for each client, tenant or API key.
    ///
    /// `choose` returns the limiter, as a rule of a [`Keyed`](resilience_core::Keyed) table by a
    /// key from the request. Functions with `limiter = LIMITS.get(key)` share the limiters, and
    /// [`get_with`](resilience_core::Keyed::get_with) sets a rate or a label for the key.
    ///
    /// `poll_ready` does not know the request. The layer is therefore ready at once, and an
    /// admitted call waits for the service inside its future.
    ///
    /// ```
    /// use core::{convert::Infallible, future::ready, time::Duration};
    /// use http::{Request, Response};
    /// use resilience::{Keyed, RateLimiter, Rejected, rate_limit};
    /// use resilience::http::RateLimitLayer;
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// static LIMITS: Keyed<RateLimiter> =
    ///     Keyed::new(10_000, || RateLimiter::new(1, Duration::from_secs(60)).name("api"));
    ///
    /// #[rate_limit(limiter = LIMITS.get(client))]
    /// fn export(client: &[u8]) -> Result<u32, Rejected> {
    ///     Ok(7)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), tower::BoxError> {
    /// let by_client = |request: &Request<()>| {
    ///     let client = request.headers().get("x-api-key").map(|key| key.as_bytes());
    ///     LIMITS.get(client.unwrap_or_default())
    /// };
    /// let service = ServiceBuilder::new()
    ///     .layer(RateLimitLayer::keyed(by_client))
    ///     .service(service_fn(|_| ready(Ok::<_, Infallible>(Response::new(())))));
    /// let from = |client| Request::builder().header("x-api-key", client).body(()).unwrap();
    /// assert!(service.clone().oneshot(from("ann")).await.is_ok());
    /// assert!(service.clone().oneshot(from("bob")).await.is_ok());
    /// assert!(service.clone().oneshot(from("ann")).await.is_err());
    /// assert!(export(b"ann").is_err()); // the function shares the limiter
    /// # Ok(()) }
    /// ```
    pub fn keyed<Request, F, D>(choose: F) -> RateLimitLayer<PolicyByRequest<RateLimiter<D>, F>>
    where
        F: Fn(&Request) -> Arc<RateLimiter<D>>,
        D: Defined,
    {
        RateLimitLayer { limiters: PolicyByRequest::new(choose) }
    }
}

impl<D: Defined> RateLimitLayer<OnePolicy<RateLimiter<D>>> {
    /// Creates a layer for a limiter that is not `static`, also for the limiter of a key in a
    /// [`Keyed`](resilience_core::Keyed) table.
    pub const fn shared(limiter: Arc<RateLimiter<D>>) -> Self {
        Self { limiters: OnePolicy(PolicyRef::Shared(limiter)) }
    }
}

impl<S, P: PolicySource> Layer<S> for RateLimitLayer<P> {
    type Service = RateLimitService<S, P>;

    fn layer(&self, service: S) -> Self::Service {
        self.limiters.register();
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`RateLimitLayer`].
pub type RateLimitService<S, P = OnePolicy<RateLimiter>> = GatedService<S, RateLimitLayer<P>>;

impl<Request, R, E, P, D> Gate<Request, R, E> for RateLimitLayer<P>
where
    P: PolicyFor<Request, Policy = RateLimiter<D>>,
    D: Defined + 'static,
{
    type Permit = UsedPermit<D>;

    fn enter(&self, request: &Request) -> Entry<UsedPermit<D>> {
        let limiter = self.limiters.policy(request);
        Entry::by(async move {
            limiter.acquire().await?;
            Ok(UsedPermit { limiter, request: None, is_settled: false })
        })
    }

    fn is_clear(&self) -> bool {
        self.limiters.single().is_some_and(|limiter| limiter.available() > 0)
    }
}

/// A permit that the limiter has counted. The permit returns if the request was not sent.
#[derive(Debug)]
pub struct UsedPermit<D: Defined + 'static> {
    limiter: PolicyRef<RateLimiter<D>>,
    /// The request after this gate; `None` while this gate holds the request.
    request: Option<HandedOver>,
    is_settled: bool,
}

impl<D: Defined + 'static> UsedPermit<D> {
    fn settle(&mut self, is_sent: bool) {
        if !mem::replace(&mut self.is_settled, true) && !is_sent {
            self.limiter.settle(1, 0);
        }
    }
}

impl<R, E, D: Defined + 'static> Permit<R, E> for UsedPermit<D> {
    const IS_SENT_BY_FUTURE: bool = true;

    fn hand_over(&mut self, from_outside: Option<Handover>) -> Option<Handover> {
        let handover = from_outside.unwrap_or_else(Handover::new);
        self.request = Some(handover.observe());
        Some(handover)
    }

    fn finish(mut self, out: Result<R, E>) -> Result<R, E> {
        let is_sent = self.request.as_ref().is_some_and(HandedOver::is_sent);
        self.settle(is_sent || out.is_ok());
        out
    }

    fn panicked(mut self) {
        self.settle(true);
    }
}

impl<D: Defined + 'static> Drop for UsedPermit<D> {
    /// The call was dropped. A layer in between may make a further attempt after a gate inside has
    /// given up, so only a request that a gate holds counts as not sent.
    fn drop(&mut self) {
        let is_held = self.request.as_ref().is_none_or(HandedOver::is_held);
        self.settle(!is_held);
    }
}
