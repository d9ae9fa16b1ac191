//! Idempotency keys made by the retry layer.

use http::Method;
use resilience::http::{IDEMPOTENCY_KEY, RetryLayer};
use resilience::testing;
use tower::{Layer, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, post, request};

#[tokio::test]
async fn a_key_is_made_once_for_a_call() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503)]);
    let keyed = RetryLayer::new(POLICY).idempotency_keys(true).layer(service.clone());
    for method in [Method::POST, Method::PATCH] {
        let _ = keyed.clone().oneshot(request(method)).await;
    }
    let keys = service.headers("idempotency-key");
    assert_eq!(keys.len(), 6);
    assert!(keys[0].as_ref().is_some_and(|key| key.len() == 36), "{keys:?}");
    assert!(keys[..3].iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(keys[3..].iter().all(|key| *key == keys[3]) && keys[3] != keys[0], "{keys:?}");
}

#[tokio::test]
async fn a_key_is_made_for_a_single_attempt() {
    let service = Scripted::new(&[Act::Status(503)]);
    let keyed = RetryLayer::new(POLICY.attempts(1)).idempotency_keys(true).layer(service.clone());
    let _ = keyed.oneshot(post()).await;
    assert!(matches!(&*service.headers("idempotency-key"), [Some(_)]));
}

#[tokio::test]
async fn idempotent_requests_get_no_key_and_an_existing_key_stays() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503)]);
    let keyed = RetryLayer::new(POLICY).idempotency_keys(true).layer(service.clone());
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let _ = keyed.clone().oneshot(request(method)).await;
    }
    assert_eq!(service.headers("idempotency-key"), vec![None; 9]);
    let mut with_key = post();
    with_key.headers_mut().insert(IDEMPOTENCY_KEY, "order-7".try_into().expect("a value"));
    let _ = keyed.oneshot(with_key).await;
    assert_eq!(service.headers("idempotency-key")[9..], vec![Some("order-7".to_owned()); 3]);
    let without = RetryLayer::new(POLICY).layer(service.clone());
    for request in [get(), post()] {
        let _ = without.clone().oneshot(request).await;
    }
    assert!(service.headers("idempotency-key")[12..].iter().all(Option::is_none));
}
