//! `RateLimitLayer` takes back the permits of requests that were not sent.

use std::sync::Arc;

use resilience::http::{BulkheadLayer, CircuitBreakerLayer, RateLimitLayer, RetryLayer};
use resilience::{Bulkhead, BulkheadPermit, CircuitBreaker, RateLimiter, RejectedKind};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::mocks::{is_pending, kind, pair, soon};
use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, secs};

fn limiter() -> Arc<RateLimiter> {
    Arc::new(RateLimiter::new(10, secs(36_000)).burst(10))
}

/// Returns a full bulkhead, and its permit.
fn full(queue: u32) -> (Arc<Bulkhead>, BulkheadPermit<'static>) {
    let bulkhead = Box::leak(Box::new(Arc::new(Bulkhead::new(1).queue(queue))));
    (Arc::clone(bulkhead), bulkhead.try_acquire().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_the_queue_below_returns_its_permits() {
    let (outer, inner) = (limiter(), limiter());
    let (bulkhead, _permit) = full(9);
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::shared(Arc::clone(&outer)))
        .layer(CircuitBreakerLayer::shared(Arc::new(CircuitBreaker::new())))
        .layer(RateLimitLayer::shared(Arc::clone(&inner)))
        .layer(BulkheadLayer::shared(Arc::clone(&bulkhead)))
        .service(Scripted::new(&[Act::Status(200)]));
    {
        let mut call = Box::pin(service.oneshot(get()));
        assert!(is_pending(&mut call).await);
        assert_eq!((outer.available(), inner.available(), bulkhead.queued()), (9, 9, 1));
    }
    assert_eq!((outer.available(), inner.available(), bulkhead.queued()), (10, 10, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_layer_below_rejects_returns_its_permit() {
    let limiter = limiter();
    let (bulkhead, permit) = full(0);
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::shared(Arc::clone(&limiter)))
        .layer(BulkheadLayer::shared(bulkhead))
        .service(Scripted::new(&[Act::Status(200), Act::Fail(std::io::ErrorKind::Other)]));
    let full = Some(RejectedKind::BulkheadFull);
    assert_eq!(kind(service.clone().oneshot(get()).await), full);
    assert_eq!(limiter.available(), 10);
    drop(permit);
    assert!(service.clone().oneshot(get()).await.is_ok());
    assert!(service.oneshot(get()).await.is_err());
    assert_eq!(limiter.available(), 8, "both requests were sent");
}

#[tokio::test(start_paused = true)]
async fn a_running_call_that_is_dropped_keeps_its_permit() {
    let limiter = limiter();
    let (bulkhead, permit) = full(9);
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::shared(Arc::clone(&limiter)))
        .layer(BulkheadLayer::shared(bulkhead))
        .service(Scripted::new(&[Act::Hang]));
    let mut call = Box::pin(service.oneshot(get()));
    assert!(is_pending(&mut call).await);
    drop(permit);
    assert!(is_pending(&mut call).await);
    drop(call);
    assert_eq!(limiter.available(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_for_the_service_returns_its_permit() {
    let limiter = limiter();
    limiter.try_acquire_many(10).unwrap();
    let (mock, mut handle) = pair();
    handle.allow(0);
    let mut service =
        ServiceBuilder::new().layer(RateLimitLayer::shared(Arc::clone(&limiter))).service(mock);
    // Without a permit the layer is ready, and the service is asked inside of the call.
    service.ready().await.unwrap();
    limiter.settle(10, 0);
    let mut call = Box::pin(service.call(get()));
    assert!(is_pending(&mut call).await);
    assert_eq!(limiter.available(), 9);
    drop(call);
    assert_eq!(limiter.available(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_sent_keeps_the_permit() {
    let limiter = limiter();
    let bulkhead = Arc::new(Bulkhead::new(1).queue(9));
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::shared(Arc::clone(&limiter)))
        .layer(RetryLayer::new(POLICY))
        .layer(BulkheadLayer::shared(Arc::clone(&bulkhead)))
        .service(Scripted::new(&[Act::Status(503), Act::Status(200)]));
    let mut call = Box::pin(service.oneshot(get()));
    assert!(is_pending(&mut call).await);
    let permit = bulkhead.try_acquire().unwrap();
    assert!(tokio::time::timeout(secs(5), &mut call).await.is_err());
    assert_eq!(bulkhead.queued(), 1, "the second attempt waits");
    drop(call);
    assert_eq!(limiter.available(), 9);
    drop(permit);
}

/// The first poll sends the request, so a future that is never polled has sent nothing.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_returns_its_permits() {
    let (outer, inner) = (limiter(), limiter());
    let scripted = Scripted::new(&[Act::Status(200)]);
    let mut service = ServiceBuilder::new()
        .layer(RateLimitLayer::shared(Arc::clone(&outer)))
        .layer(CircuitBreakerLayer::shared(Arc::new(CircuitBreaker::new())))
        .layer(RateLimitLayer::shared(Arc::clone(&inner)))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(scripted.clone());
    let call = service.ready().await.unwrap().call(get());
    assert_eq!((outer.available(), scripted.calls()), (9, 0));
    drop(call);
    assert_eq!((outer.available(), inner.available()), (10, 10));
    // The dropped future has given the reservation of the service back.
    let call = service.ready().await.unwrap().call(get());
    assert!(soon(call).await.is_ok());
    assert_eq!((outer.available(), inner.available(), scripted.calls()), (9, 9, 1));
}
