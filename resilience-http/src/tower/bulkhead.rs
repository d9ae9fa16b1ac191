//! `#[bulkhead]` as a layer.

use std::sync::Arc;

use resilience_core::{Bulkhead, BulkheadPermit, OwnedBulkheadPermit};
use tower_layer::Layer;

use super::PolicyRef;
use super::gated_service::{Entry, Gate, GatedService, Permit};

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
pub struct BulkheadLayer {
    bulkhead: PolicyRef<Bulkhead>,
}

impl BulkheadLayer {
    /// Creates a layer for a `static` bulkhead.
    pub const fn new(bulkhead: &'static Bulkhead) -> Self {
        Self { bulkhead: PolicyRef::Static(bulkhead) }
    }

    /// Creates a layer for a bulkhead that is not `static`.
    pub const fn shared(bulkhead: Arc<Bulkhead>) -> Self {
        Self { bulkhead: PolicyRef::Shared(bulkhead) }
    }
}

impl<S> Layer<S> for BulkheadLayer {
    type Service = BulkheadService<S>;

    fn layer(&self, service: S) -> Self::Service {
        self.bulkhead.register();
        GatedService::new(service, self.clone())
    }
}

/// A service under a [`BulkheadLayer`].
pub type BulkheadService<S> = GatedService<S, BulkheadLayer>;

impl<Request, R, E> Gate<Request, R, E> for BulkheadLayer {
    type Permit = HeldPermit;

    fn enter(&self, _: &Request) -> Entry<HeldPermit> {
        match self.bulkhead.clone() {
            PolicyRef::Static(bulkhead) => {
                Entry::by(async move { bulkhead.acquire().await.map(HeldPermit::Static) })
            }
            PolicyRef::Shared(bulkhead) => {
                Entry::by(async move { bulkhead.acquire_owned().await.map(HeldPermit::Shared) })
            }
        }
    }

    fn is_clear(&self) -> bool {
        !self.bulkhead.is_full()
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
