//! `CircuitBreakerLayer`.

use std::future::Future;
use std::io::ErrorKind::{ConnectionReset, PermissionDenied};
use std::sync::Arc;
use std::task::{Context, Waker};

use http::Request;
use resilience::http::{
    CircuitBreakerLayer, Classifier, HostCooldown, HostCooldownLayer, RetryLayer,
};
use resilience::{CircuitBreaker, CircuitState, Rejected, RejectedKind, testing};
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, post, secs};

#[tokio::test]
async fn a_breaker_per_host_names_the_host() {
    let service = Scripted::new(&[Act::Status(503)]);
    let make = || CircuitBreaker::new().failure_threshold(1).name("upstreams");
    let guarded = CircuitBreakerLayer::per_host(100, make).layer(service);
    let call = async |uri: &str| {
        let request = Request::get(uri).body(String::new()).unwrap();
        guarded.clone().oneshot(request).await
    };
    assert!(call("http://EU.example:8080/a").await.is_ok());
    let error = call("http://eu.example:8080/b").await.expect_err("the breaker is open");
    let rejected: &Rejected = error.downcast_ref().expect("a rejection");
    assert_eq!((rejected.name(), rejected.key()), ("upstreams", Some("eu.example:8080")));
}

fn breaker(failures: u32) -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new().failure_threshold(failures).name("api"))
}

#[tokio::test]
async fn an_open_breaker_rejects_calls() {
    use Act::{After, Fail, Status};
    let failures = [Status(500), Status(503), After(429, "9"), Status(529), Fail(ConnectionReset)];
    for act in failures {
        let (service, breaker) = (Scripted::new(&[act]), breaker(2));
        let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service.clone());
        for _ in 0..2 {
            let _ = guarded.clone().oneshot(get()).await;
        }
        for _ in 0..10 {
            let error = guarded.clone().oneshot(get()).await.expect_err("the breaker is open");
            let rejected: &Rejected = error.downcast_ref().expect("a rejection");
            assert_eq!((rejected.kind(), rejected.name()), (RejectedKind::CircuitOpen, "api"));
            assert!(rejected.retry_after() > Some(secs(29)), "{rejected}");
        }
        assert_eq!((service.calls(), breaker.state()), (2, CircuitState::Open), "{act:?}");
    }
}

#[tokio::test]
async fn a_final_response_and_a_permanent_error_are_answers() {
    use Act::{Fail, Status};
    for act in [Status(200), Status(404), Status(409), Status(501)] {
        let (service, breaker) = (Scripted::new(&[Status(503), act]), breaker(2));
        let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service.clone());
        for _ in 0..2 {
            assert!(guarded.clone().oneshot(get()).await.is_ok());
        }
        assert_eq!(breaker.snapshot().consecutive_failures, 0, "{act:?}");
    }
    let service = Scripted::new(&[Status(503), Fail(PermissionDenied), Status(503)]);
    let breaker = breaker(2);
    let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service.clone());
    for failures in [1, 0, 1] {
        let _ = guarded.clone().oneshot(get()).await;
        assert_eq!(breaker.snapshot().consecutive_failures, failures);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test]
async fn a_rejection_by_an_inner_layer_does_not_count() {
    static COOLDOWN: HostCooldown = HostCooldown::new().max_wait(secs(0));
    let (service, breaker) = (Scripted::new(&[Act::Status(200)]), breaker(1));
    COOLDOWN.start("api.example", secs(60));
    let guarded = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::shared(Arc::clone(&breaker)))
        .layer(HostCooldownLayer::new(&COOLDOWN))
        .service(service.clone());
    assert!(guarded.oneshot(get()).await.expect_err("the host is cooling").is::<Rejected>());
    assert_eq!((service.calls(), breaker.state()), (0, CircuitState::Closed));
}

#[tokio::test]
async fn each_host_has_a_breaker() {
    let service = Scripted::new(&[Act::Status(503)]);
    let make = || CircuitBreaker::new().failure_threshold(1);
    let guarded = CircuitBreakerLayer::per_host(100, make).layer(service.clone());
    let to = |uri: &str| Request::get(uri).body(String::new()).expect("a request");
    let hosts = [
        ("http://a.example/1", true),
        ("http://A.example/2", false),
        ("http://user@a.example/2", false),
        ("http://b.example/", true),
        ("http://a.example:81/", true),
    ];
    for (uri, let_through) in hosts {
        let result = guarded.clone().oneshot(to(uri)).await;
        assert_eq!(result.is_ok(), let_through, "{uri}");
    }
    // A request on the server side names the host in a header.
    let mut received = to("/things");
    received.headers_mut().insert("host", "b.example".try_into().expect("a value"));
    assert!(guarded.oneshot(received).await.is_err());
    assert_eq!(service.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_trial_call_releases_the_permit() {
    let service = Scripted::new(&[Act::Status(503), Act::Hang, Act::Status(200)]);
    let breaker = breaker(1);
    let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service.clone());
    let _ = guarded.clone().oneshot(get()).await;
    tokio::time::advance(secs(30)).await;
    let mut probe = Box::pin(guarded.clone().oneshot(get()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(probe.as_mut().poll(&mut context).is_pending());
    assert!(guarded.clone().oneshot(get()).await.is_err(), "one probe is under way");
    drop(probe);
    assert!(guarded.oneshot(get()).await.is_ok());
    assert_eq!((service.calls(), breaker.state()), (3, CircuitState::Closed));
}

#[tokio::test]
async fn a_panic_counts_and_propagates() {
    let (service, breaker) = (Scripted::new(&[Act::Panic]), breaker(1));
    let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service);
    assert!(tokio::spawn(guarded.oneshot(get())).await.is_err_and(|it| it.is_panic()));
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn the_classifier_of_the_layer_decides() {
    let (service, breaker) = (Scripted::new(&[Act::After(409, "1")]), breaker(1));
    let layer = CircuitBreakerLayer::shared(Arc::clone(&breaker));
    let _ = layer.clone().layer(service.clone()).oneshot(post()).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    let layer = layer.classifier(Classifier::new().keyed(true));
    let _ = layer.layer(service.clone()).oneshot(post()).await;
    assert_eq!((breaker.state(), service.calls()), (CircuitState::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn an_outer_retry_stops_or_waits_for_an_open_breaker() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(2).reset_timeout(secs(9));
    let _guard = testing::draws([0.0]);
    let start = tokio::time::Instant::now();
    let script = [Act::Status(500), Act::Status(500), Act::Status(200)];
    let service = Scripted::new(&script);
    let around = |policy| {
        let layers = ServiceBuilder::new().layer(RetryLayer::new(policy));
        layers.layer(CircuitBreakerLayer::new(&BREAKER)).service(service.clone())
    };
    let opens = around(POLICY.attempts(5)).oneshot(get()).await.expect("the last failure");
    assert_eq!(opens.status(), 500);
    let error = around(POLICY).oneshot(get()).await.expect_err("the breaker is open");
    assert!(error.is::<Rejected>());
    assert_eq!((service.calls(), start.elapsed()), (2, secs(1)));
    let waits = POLICY.wait_for_rejections(true);
    assert_eq!(around(waits).oneshot(post()).await.expect("a response").status(), 200);
    assert_eq!((service.calls(), start.elapsed()), (3, secs(1 + 9)));
}
