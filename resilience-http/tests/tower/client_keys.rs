//! Idempotency keys made by the retry layer.

use http::{HeaderName, Method};
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

#[tokio::test]
async fn a_post_with_a_blank_key_is_sent_once_or_gets_a_key() {
    let _guard = testing::no_waits();
    for blank in ["", "  ", r#""""#] {
        let with_key = || {
            let mut request = post();
            request.headers_mut().insert(IDEMPOTENCY_KEY, blank.try_into().expect("a value"));
            request
        };
        let service = Scripted::new(&[Act::Status(503)]);
        let _ = RetryLayer::new(POLICY).layer(service.clone()).oneshot(with_key()).await;
        assert_eq!(service.calls(), 1, "{blank:?}");
        let keyed = RetryLayer::new(POLICY).idempotency_keys(true).layer(service.clone());
        let _ = keyed.oneshot(with_key()).await;
        let keys = &service.headers("idempotency-key")[1..];
        assert_eq!(keys, vec![keys[0].clone(); 3]);
        assert!(keys[0].as_ref().is_some_and(|key| key.len() == 36), "{keys:?}");
    }
}

#[tokio::test]
async fn a_header_that_makes_a_put_a_patch_prevents_a_retry() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503)]);
    let layer = RetryLayer::new(POLICY);
    let mut patch = request(Method::PUT);
    patch.headers_mut().insert("x-http-method-override", "PATCH".try_into().expect("a value"));
    let _ = layer.layer(service.clone()).oneshot(patch).await;
    assert_eq!(service.calls(), 1);
    let _ = layer.layer(service.clone()).oneshot(request(Method::PUT)).await;
    assert_eq!(service.calls(), 1 + 3);
}

#[tokio::test]
async fn every_header_name_of_the_server_is_known() {
    let _guard = testing::no_waits();
    let keyed = |name: &'static str| {
        let mut request = post();
        request.headers_mut().insert(name, "order-7".try_into().expect("a value"));
        request
    };
    let service = Scripted::new(&[Act::Status(503)]);
    for makes_keys in [false, true] {
        let layer = RetryLayer::new(POLICY).idempotency_keys(makes_keys);
        let _ = layer.layer(service.clone()).oneshot(keyed("x-idempotency-key")).await;
    }
    assert_eq!(service.headers("x-idempotency-key"), vec![Some("order-7".to_owned()); 6]);
    assert_eq!(service.headers("idempotency-key"), vec![None; 6]);
    // Names of the application.
    let names = ["paypal-request-id", "request-id"].map(HeaderName::from_static);
    let layer = RetryLayer::new(POLICY).key_headers(names);
    let service = Scripted::new(&[Act::Status(503)]);
    let _ = layer.layer(service.clone()).oneshot(keyed("request-id")).await;
    let _ = layer.layer(service.clone()).oneshot(keyed("idempotency-key")).await;
    assert_eq!(service.calls(), 3 + 1);
    let _ = layer.idempotency_keys(true).layer(service.clone()).oneshot(post()).await;
    let made = service.headers("paypal-request-id");
    assert_eq!(made[..4], vec![None; 4]);
    assert!(made[4].as_ref().is_some_and(|key| key.len() == 36), "{made:?}");
    assert_eq!(made[4..], vec![made[4].clone(); 3]);
    assert_eq!(service.headers("idempotency-key")[4..], vec![None; 3]);
}
