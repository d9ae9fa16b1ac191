//! `#[bulkhead]` as a layer.

use core::fmt;
use core::future::{Future, pending, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use resilience_core::{Bulkhead, BulkheadPermit, Rejected};
use tower_layer::Layer;

use super::PolicyRef;
use super::gated_service::{Entry, Gate, GatedService, Permit};

/// Limits the number of concurrent calls: `#[bulkhead]` as a layer, for any service.
///
/// A full bulkhead rejects the call with a boxed [`Rejected`] of the kind
/// [`BulkheadFull`](resilience_core::RejectedKind::BulkheadFull), or lets the call wait in the
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
                Entry::by(async move { hold(bulkhead).await.map(HeldPermit::Shared) })
            }
        }
    }

    fn is_clear(&self) -> bool {
        !self.bulkhead.is_full()
    }
}

/// The permit of a running call.
pub enum HeldPermit {
    /// Of a `static` bulkhead.
    Static(BulkheadPermit<'static>),
    /// Of a bulkhead in an `Arc`.
    Shared(Hold),
}

impl<R, E> Permit<R, E> for HeldPermit {}

impl fmt::Debug for HeldPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldPermit").finish_non_exhaustive()
    }
}

/// A future that owns the bulkhead and a permit, and never completes. A permit borrows from its
/// bulkhead, and only a future can own both.
type Hold = Pin<Box<dyn Future<Output = Rejected> + Send>>;

async fn hold(bulkhead: Arc<Bulkhead>) -> Result<Hold, Rejected> {
    let has_permit = Arc::new(AtomicBool::new(false));
    let acquired = Arc::clone(&has_permit);
    let mut hold: Hold = Box::pin(async move {
        match bulkhead.acquire().await {
            Ok(_permit) => {
                acquired.store(true, Ordering::Relaxed);
                pending().await
            }
            Err(rejected) => rejected,
        }
    });
    poll_fn(|cx| match hold.as_mut().poll(cx) {
        Poll::Ready(rejected) => Poll::Ready(Err(rejected)),
        Poll::Pending if has_permit.load(Ordering::Relaxed) => Poll::Ready(Ok(())),
        Poll::Pending => Poll::Pending,
    })
    .await?;
    Ok(hold)
}
