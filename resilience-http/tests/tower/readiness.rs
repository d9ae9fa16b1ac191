//! The layers call `poll_ready` before each call, also on a clone. The scripted service panics
//! otherwise.

use std::future::Future;
use std::sync::Arc;

use resilience::http::{HostCooldown, HostCooldownLayer, RetryLayer};
use resilience::testing;
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

use crate::mocks::{answer, is_pending, pair, poll_once, soon};
use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, secs};

#[tokio::test]
async fn each_call_uses_the_ready_service() {
    static COOLDOWN: HostCooldown = HostCooldown::new();
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(503), Act::Status(200)]);
    let mut retrying =
        RetryLayer::new(POLICY).layer(HostCooldownLayer::new(&COOLDOWN).layer(service.clone()));
    // Two concurrent calls of one service.
    let first = retrying.ready().await.expect("a service").call(get());
    let second = retrying.ready().await.expect("a service").call(get());
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(service.calls(), 4);
}

#[tokio::test]
async fn an_attempt_waits_for_readiness() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let mut retrying = RetryLayer::new(POLICY).layer(service.clone());
    let call = retrying.ready().await.expect("a service").call(get());
    service.delay_readiness(5);
    assert_eq!(call.await.expect("a response").status(), 200);
    assert_eq!(service.calls(), 2);
}

#[tokio::test]
async fn an_error_of_poll_ready_ends_the_call() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let mut retrying = RetryLayer::new(POLICY).layer(service.clone());
    let call = retrying.ready().await.expect("a service").call(get());
    service.fail_readiness();
    assert_eq!(call.await.expect_err("an error").to_string(), "service failed");
    assert_eq!(service.calls(), 1);
    assert!(retrying.ready().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_at_the_deadline_or_later_though_the_service_was_not_ready() {
    let (mock, mut handle) = pair();
    handle.allow(1);
    let retrying = RetryLayer::new(POLICY.deadline(secs(5))).layer(mock);
    let start = Instant::now();
    let call = tokio::spawn(retrying.oneshot(get()));
    answer(&mut handle, 503).await;
    let ready_later = async {
        tokio::time::sleep(secs(60)).await;
        handle.allow(1);
        handle
    };
    let (out, mut handle) = tokio::join!(
        async {
            let out = call.await.expect("no panic");
            assert_eq!(start.elapsed(), secs(5));
            out
        },
        ready_later
    );
    assert_eq!(out.expect("the last response").status(), 503);
    // The service is gone, and has seen one request.
    assert!(soon(handle.next_request()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_ready_before_the_deadline_gets_the_attempt() {
    let (mock, mut handle) = pair();
    handle.allow(1);
    let retrying = RetryLayer::new(POLICY.deadline(secs(5))).layer(mock);
    let call = tokio::spawn(retrying.oneshot(get()));
    answer(&mut handle, 503).await;
    tokio::time::sleep(secs(4)).await;
    handle.allow(1);
    answer(&mut handle, 200).await;
    assert_eq!(soon(call).await.expect("no panic").expect("a response").status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_cooldown_holds_nothing_of_the_service() {
    let cooldown = Arc::new(HostCooldown::new());
    let _draws = testing::draws([0.0]);
    let limited = ConcurrencyLimit::new(Scripted::new(&[Act::Status(200)]), 1);
    let mut service = HostCooldownLayer::shared(Arc::clone(&cooldown)).layer(limited.clone());
    service.ready().await.expect("ready");
    cooldown.start("api.example", secs(30));
    let start = Instant::now();
    let waiting = service.call(get());
    assert!(soon(limited.oneshot(get())).await.is_ok());
    assert!(waiting.await.is_ok());
    assert_eq!(start.elapsed(), secs(30));
    // While a host cools, a rejection does not wait for the service.
    let (mock, mut handle) = pair();
    handle.allow(0);
    let strict = Arc::new(HostCooldown::new().max_wait(secs(1)));
    let mut service = HostCooldownLayer::shared(Arc::clone(&strict)).layer(mock);
    assert!(is_pending(service.ready()).await);
    strict.start("api.example", secs(30));
    let call = async { service.ready().await?.call(get()).await };
    assert!(soon(call).await.expect_err("cooling").is::<resilience::Rejected>());
    tokio::time::advance(secs(31)).await;
    assert!(is_pending(service.ready()).await, "the cooldown is over");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_ready_at_the_deadline_gets_no_attempt() {
    let (mock, mut handle) = pair();
    handle.allow(1);
    let retrying = RetryLayer::new(POLICY.deadline(secs(5))).layer(mock);
    let mut call = Box::pin(retrying.oneshot(get()));
    assert!(poll_once(|cx| call.as_mut().poll(cx)).await.is_pending());
    answer(&mut handle, 503).await;
    assert!(poll_once(|cx| call.as_mut().poll(cx)).await.is_pending());
    tokio::time::advance(secs(5)).await;
    handle.allow(1);
    assert_eq!(soon(call).await.expect("the last response").status(), 503);
    assert!(soon(handle.next_request()).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_that_starts_while_a_call_waits_for_the_service_delays_the_call() {
    let cooldown = Arc::new(HostCooldown::new());
    let _draws = testing::draws([0.0]);
    let mut limited = ConcurrencyLimit::new(Scripted::new(&[Act::Status(200)]), 1);
    let service = HostCooldownLayer::shared(Arc::clone(&cooldown)).layer(limited.clone());
    limited.ready().await.expect("the only permit");
    // With a cooling host, the call waits for the permit inside its future.
    cooldown.start("other.example", secs(60));
    let start = Instant::now();
    let mut waiting = tokio::spawn(service.oneshot(get()));
    assert!(is_pending(&mut waiting).await);
    cooldown.start("api.example", secs(30));
    assert!(soon(limited.call(get())).await.is_ok());
    assert!(is_pending(&mut waiting).await);
    // The delayed call has given the permit back.
    assert!(soon(async { limited.ready().await?.call(get()).await }).await.is_ok());
    assert!(waiting.await.expect("no panic").is_ok());
    assert_eq!(start.elapsed().as_secs(), 30);
}
