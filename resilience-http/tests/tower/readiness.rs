//! A service is asked before every call whether it is ready, and its clones are asked anew. The scripted
//! service panics when it is not.

use resilience::http::{HostCooldown, HostCooldownLayer, RetryLayer};
use resilience::testing;
use tower::{Layer, Service, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get};

#[tokio::test]
async fn each_call_goes_to_the_one_that_said_it_was_ready() {
    static COOLDOWN: HostCooldown = HostCooldown::new();
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(503), Act::Status(200)]);
    let mut retrying =
        RetryLayer::new(POLICY).layer(HostCooldownLayer::new(&COOLDOWN).layer(service.clone()));
    // Two calls under way at once, of one service.
    let first = retrying.ready().await.expect("a service").call(get());
    let second = retrying.ready().await.expect("a service").call(get());
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(service.calls(), 4);
}

#[tokio::test]
async fn an_attempt_waits_for_the_service() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let mut retrying = RetryLayer::new(POLICY).layer(service.clone());
    let call = retrying.ready().await.expect("a service").call(get());
    service.pause(5);
    assert_eq!(call.await.expect("an answer").status(), 200);
    assert_eq!(service.calls(), 2);
}

#[tokio::test]
async fn a_service_that_is_lost_says_so_itself() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let mut retrying = RetryLayer::new(POLICY).layer(service.clone());
    let call = retrying.ready().await.expect("a service").call(get());
    service.break_down();
    assert_eq!(call.await.expect_err("the end of it").to_string(), "broken down");
    assert_eq!(service.calls(), 1);
    assert!(retrying.ready().await.is_err());
}
