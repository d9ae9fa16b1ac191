//! `#[bulkhead]` as a layer.

use std::sync::Arc;

use resilience_core::{Bulkhead, BulkheadPermit, OwnedBulkheadPermit};
use tower_layer::Layer;

use super::gated_service::{Entry, Gate, GatedService, Permit};
use super::policy_source::{OnePolicy, PolicyByRequest, PolicyFor, PolicyRef, PolicySource};

/// Limits the number of concurrent calls: `#[bulkhead]` as a layer, for any service.
///
/// A full bulkhead rejects the call with a boxed [`Rejected`](resilience_core::Rejected) of the
/// kind [`BulkheadFull`](resilience_core::RejectedKind::BulkheadFull), or lets the call wait in the
/// queue of the bulkhead. A waiting call holds no reservation of the service. A permit is returned
/// when the call returns a response or an error, or is dropped; the body of a response holds no
/// permit.
///
/// The concurrency limit of `tower` makes callers wait in `poll_ready`. This layer rejects, bounds
/// the queue and the wait, and shares the limit with functions that use the same [`Bulkhead`].
///
/// # Examples
///
/// ```
/// use core::{convert::Infallible, future::pending};
/// use resilience::{Bulkhead, Rejected};
/// use resilience::http::BulkheadLayer;
/// use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), tower::BoxError> {
/// static REPORTS: Bulkhead = Bulkhead::new(1).name("reports");
///
/// let mut service = ServiceBuilder::new()
///     .layer(BulkheadLayer::new(&REPORTS))
///     .service(service_fn(|()| pending::<Result<(), Infallible>>()));
/// let _running = service.ready().await?.call(());
/// let error = service.ready().await?.call(()).await.unwrap_err();
/// assert_eq!(error.to_string(), "reports: bulkhead full");
/// assert!(error.is::<Rejected>());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer has no effect until a service is wrapped"]
pub struct BulkheadLayer<P = OnePolicy<Bulkhead>> {
    bulkheads: P,
}

impl BulkheadLayer {
    /// Creates a layer for a `static` bulkhead.
    pub const fn new(bulkhead: &'static Bulkhead) -> Self {
        Self { bulkheads: OnePolicy(PolicyRef::Static(bulkhead)) }
    }

    /// Creates a layer for a bulkhead that is not `static`.
    pub const fn shared(bulkhead: Arc<Bulkhead>) -> Self {
        Self { bulkheads: OnePolicy(PolicyRef::Shared(bulkhead)) }
    }

    /// Creates a layer with a bulkhead for each request: for each client, tenant or host.
    ///
    /// `choose` returns the bulkhead, as a rule of a [`Keyed`](resilience_core::Keyed) table by a
    /// key from the request. Functions with `bulkhead = BULKHEADS.get(key)` share the bulkheads.
    ///
    /// `poll_ready` does not know the request. The layer is therefore ready at once, and an
    /// admitted call waits for the service inside its future.
    ///
    /// ```
    /// use http::Request;
    /// use resilience::{Bulkhead, Keyed};
    /// use resilience::http::BulkheadLayer;
    ///
    /// static BULKHEADS: Keyed<Bulkhead> = Keyed::new(1000, || Bulkhead::new(10).name("tenants"));
    ///
    /// let layer = BulkheadLayer::keyed(|request: &Request<()>| {
    ///     let tenant = request.headers().get("x-tenant").map(|tenant| tenant.as_bytes());
    ///     BULKHEADS.get(tenant.unwrap_or_default())
    /// });
    /// # let _ = layer;
    /// ```
    pub fn keyed<Request, F>(choose: F) -> BulkheadLayer<PolicyByRequest<Bulkhead, F>>
    where
        F: Fn(&Request) -> Arc<Bulkhead>,
    {
        BulkheadLayer { bulkheads: PolicyByRequest::new(choose) }
    }
}

impl<S, P: PolicySource> Layer<S> for BulkheadLayer<P> {
    type Service = BulkheadService<S, P>;

    fn layer(&self, service: S) -> Self::Service {
        self.bulkheads.register();
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`BulkheadLayer`].
pub type BulkheadService<S, P = OnePolicy<Bulkhead>> = GatedService<S, BulkheadLayer<P>>;

impl<Request, R, E, P> Gate<Request, R, E> for BulkheadLayer<P>
where
    P: PolicyFor<Request, Policy = Bulkhead>,
{
    type Permit = HeldPermit;

    fn enter(&self, request: &Request) -> Entry<HeldPermit> {
        match self.bulkheads.policy(request) {
            PolicyRef::Static(bulkhead) => {
                Entry::by(async move { bulkhead.acquire().await.map(HeldPermit::Static) })
            }
            PolicyRef::Shared(bulkhead) => {
                Entry::by(async move { bulkhead.acquire_owned().await.map(HeldPermit::Shared) })
            }
        }
    }

    fn is_clear(&self) -> bool {
        self.bulkheads.single().is_some_and(|bulkhead| !bulkhead.is_full())
    }
}

/// The permit of a running call.
#[derive(Debug)]
pub enum HeldPermit {
    /// Of a `static` bulkhead.
    Static(BulkheadPermit<'static>),
    /// Of a bulkhead in an `Arc`.
    Shared(OwnedBulkheadPermit),
}

impl<R, E> Permit<R, E> for HeldPermit {}
