//! The layers call `poll_ready` before each call, also on a clone. The scripted service panics
//! otherwise.

use resilience::http::{HostCooldown, HostCooldownLayer, RetryLayer};
use resilience::testing;
use tower::{Layer, Service, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get};

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
