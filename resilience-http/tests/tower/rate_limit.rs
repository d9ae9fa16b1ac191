//! `RateLimitLayer`.

use std::sync::Arc;

use resilience::http::RateLimitLayer;
use resilience::{RateLimiter, Rejected, RejectedKind};
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

use crate::mocks::{is_pending, kind, pair, soon};
use crate::scripted::{Act, Scripted};
use crate::{get, secs};

const LIMITED: Option<RejectedKind> = Some(RejectedKind::RateLimited);

#[tokio::test(start_paused = true)]
async fn a_call_above_the_rate_is_rejected() {
    static LIMITER: RateLimiter = RateLimiter::new(2, secs(60)).name("api");
    let shared = Arc::new(RateLimiter::new(2, secs(60)).name("api"));
    for layer in [RateLimitLayer::new(&LIMITER), RateLimitLayer::shared(shared)] {
        let service = Scripted::new(&[Act::Status(200)]);
        let limited = layer.layer(service.clone());
        assert!(limited.clone().oneshot(get()).await.is_ok());
        let error = limited.clone().oneshot(get()).await.unwrap_err();
        let rejected = error.downcast_ref::<Rejected>().unwrap();
        assert_eq!((rejected.name(), rejected.retry_after()), ("api", Some(secs(30))));
        tokio::time::advance(secs(30)).await;
        assert!(limited.oneshot(get()).await.is_ok());
        assert_eq!(service.calls(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_limiter_rejects_while_the_service_is_not_ready() {
    let limiter = Arc::new(RateLimiter::new(1, secs(60)));
    limiter.try_acquire().unwrap();
    let (mock, mut handle) = pair();
    handle.allow(0);
    let mut service = RateLimitLayer::shared(Arc::clone(&limiter)).layer(mock);
    assert_eq!(kind(soon(async { service.ready().await?.call(get()).await }).await), LIMITED);
    // With a permit, the layer passes the readiness on.
    tokio::time::advance(secs(60)).await;
    assert!(is_pending(service.ready()).await);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_holds_nothing_of_the_service() {
    let limiter = Arc::new(RateLimiter::new(1, secs(10)).wait(secs(10)));
    let inner = ConcurrencyLimit::new(Scripted::new(&[Act::Status(200)]), 1);
    let mut service = RateLimitLayer::shared(Arc::clone(&limiter)).layer(inner.clone());
    // Ready before the permit is gone: the clone holds the only permit of the limit.
    service.ready().await.unwrap();
    limiter.try_acquire().unwrap();
    let start = Instant::now();
    let waiting = service.call(get());
    assert!(soon(inner.oneshot(get())).await.is_ok());
    assert!(waiting.await.is_ok());
    assert_eq!(start.elapsed(), secs(10));
}
