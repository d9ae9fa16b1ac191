//! `BulkheadLayer`.

use std::sync::Arc;

use resilience::http::{BulkheadLayer, CircuitBreakerLayer, RetryLayer};
use resilience::{Bulkhead, CircuitBreaker, CircuitState, Rejected, RejectedKind};
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use crate::mocks::{answer, is_pending, kind, pair, soon};
use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, secs};

const FULL: Option<RejectedKind> = Some(RejectedKind::BulkheadFull);

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_rejects_and_a_finished_call_returns_its_permit() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).name("api");
    let shared = Arc::new(Bulkhead::new(1).name("api"));
    for layer in [BulkheadLayer::new(&BULKHEAD), BulkheadLayer::shared(shared)] {
        let (mock, mut handle) = pair();
        let mut service = layer.layer(mock);
        let first = soon(service.ready()).await.unwrap().call(get());
        let error = soon(service.clone().oneshot(get())).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Rejected>().unwrap().name(), "api");
        answer(&mut handle, 200).await;
        let mut first = Box::pin(first);
        assert_eq!(soon(&mut first).await.unwrap().status(), 200);
        // The permit is back, although the future still exists.
        let second = soon(service.ready()).await.unwrap().call(get());
        answer(&mut handle, 503).await;
        assert_eq!(soon(second).await.unwrap().status(), 503);
        // A dropped call returns its permit as well.
        drop(soon(service.ready()).await.unwrap().call(get()));
        let third = soon(service.ready()).await.unwrap().call(get());
        let (_, _dropped) = soon(handle.next_request()).await.unwrap();
        answer(&mut handle, 200).await;
        assert!(soon(third).await.is_ok());
        drop(first);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_rejects_while_the_service_is_not_ready() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    let (mock, mut handle) = pair();
    handle.allow(1);
    let mut service = BulkheadLayer::new(&BULKHEAD).layer(mock);
    let _running = soon(service.ready()).await.unwrap().call(get());
    assert_eq!(kind(soon(async { service.ready().await?.call(get()).await }).await), FULL);
}

#[tokio::test(start_paused = true)]
async fn a_queued_call_waits_and_holds_nothing_of_the_service() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(1).wait(secs(5));
    for is_static in [true, false] {
        let layer = if is_static {
            BulkheadLayer::new(&BULKHEAD)
        } else {
            BulkheadLayer::shared(Arc::new(Bulkhead::new(1).queue(1).wait(secs(5))))
        };
        let (mock, mut handle) = pair();
        let limited = ConcurrencyLimit::new(mock, 2);
        let service = layer.layer(limited.clone());
        let first = tokio::spawn(service.clone().oneshot(get()));
        tokio::task::yield_now().await;
        let mut queued = tokio::spawn(service.clone().oneshot(get()));
        assert!(is_pending(&mut queued).await);
        assert_eq!(kind(soon(service.clone().oneshot(get())).await), FULL, "the queue is full");
        // Another user of the service gets the second permit of the limit.
        let other = tokio::spawn(limited.oneshot(get()));
        answer(&mut handle, 200).await;
        answer(&mut handle, 201).await;
        assert_eq!(soon(first).await.unwrap().unwrap().status(), 200);
        assert_eq!(soon(other).await.unwrap().unwrap().status(), 201);
        answer(&mut handle, 202).await;
        assert_eq!(soon(queued).await.unwrap().unwrap().status(), 202);
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_ends_in_time_and_a_dropped_waiter_leaves_the_queue() {
    let bulkhead = Arc::new(Bulkhead::new(1).queue(1).wait(secs(5)));
    let service = Scripted::new(&[Act::Hang]);
    let limited = BulkheadLayer::shared(Arc::clone(&bulkhead)).layer(service.clone());
    let _running = tokio::spawn(limited.clone().oneshot(get()));
    tokio::task::yield_now().await;
    let dropped = tokio::spawn(limited.clone().oneshot(get()));
    tokio::task::yield_now().await;
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 1));
    dropped.abort();
    assert!(dropped.await.is_err());
    assert_eq!((bulkhead.running(), bulkhead.queued()), (1, 0));
    let start = Instant::now();
    assert_eq!(kind(limited.oneshot(get()).await), FULL);
    assert_eq!((start.elapsed(), service.calls()), (secs(5), 1));
}

#[tokio::test(start_paused = true)]
async fn the_layers_above_recognize_the_rejection() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1));
    let bulkhead = Arc::new(Bulkhead::new(1));
    let _permit = bulkhead.try_acquire().unwrap();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY))
        .layer(CircuitBreakerLayer::shared(Arc::clone(&breaker)))
        .layer(BulkheadLayer::shared(Arc::clone(&bulkhead)))
        .service(Scripted::new(&[Act::Status(200)]));
    let start = Instant::now();
    assert_eq!(kind(service.oneshot(get()).await), FULL);
    assert_eq!((start.elapsed(), breaker.state()), (secs(0), CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn any_service_can_be_limited() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    let layer = BulkheadLayer::new(&BULKHEAD);
    let double =
        layer.layer(tower::service_fn(|n: u32| async move { Ok::<_, std::fmt::Error>(2 * n) }));
    assert_eq!(double.oneshot(4).await.unwrap(), 8);
    assert_eq!(BULKHEAD.running(), 0);
}
