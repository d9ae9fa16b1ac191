//! A router of `axum` as the service. The body of `axum` is not `Clone`.

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::http::{Method, Request, StatusCode};
use axum::routing::any;
use resilience::http::{
    CircuitBreakerLayer, HostCooldown, HostCooldownLayer, RetryLayer, TimeoutLayer,
};
use resilience::{CircuitBreaker, testing};
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::effects_of_a_test::Effects;
use crate::{POLICY, secs};

/// Makes a router that fails twice, then echoes the body.
fn router(calls: &Effects) -> Router {
    let calls = calls.clone();
    let handler = async move |body: String| match calls.increment() {
        1 | 2 => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        _ => (StatusCode::OK, body),
    };
    Router::new().route("/things", any(handler))
}

fn request<B>(method: Method, body: B) -> Request<B> {
    Request::builder().method(method).uri("/things").body(body).expect("a request")
}

#[tokio::test]
async fn failed_responses_of_a_router_are_retried() {
    let _guard = testing::no_waits();
    for (method, expected) in [(Method::PUT, 3), (Method::POST, 1)] {
        let calls = Effects::default();
        let service = RetryLayer::new(POLICY).layer(router(&calls));
        let response = service.oneshot(request(method, "hello".to_owned())).await;
        let response = response.expect("a response");
        assert_eq!(response.status().is_success(), expected == 3);
        assert_eq!(calls.count(), expected);
        if expected == 3 {
            assert_eq!(to_bytes(response.into_body(), 10).await.expect("a body"), "hello");
        }
    }
}

#[tokio::test]
async fn an_empty_axum_body_is_sent_again() {
    let _guard = testing::no_waits();
    for (body, expected) in [(Body::empty(), 3), (Body::from("hello"), 1)] {
        let calls = Effects::default();
        let layer =
            RetryLayer::new(POLICY).replay(|body: &Body| body.is_end_stream().then(Body::empty));
        let response = layer.layer(router(&calls)).oneshot(request(Method::PUT, body)).await;
        assert_eq!(response.expect("a response").status().is_success(), expected == 3);
        assert_eq!(calls.count(), expected);
    }
}

#[tokio::test]
async fn all_layers_wrap_a_router() {
    static COOLDOWN: HostCooldown = HostCooldown::new();
    let _draws = testing::draws([0.0]);
    let calls = Effects::default();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY.base_delay(secs(0))))
        .layer(HostCooldownLayer::new(&COOLDOWN))
        .layer(CircuitBreakerLayer::per_host(10, CircuitBreaker::new))
        .layer(TimeoutLayer::new(secs(10)))
        .service(router(&calls));
    let response = service.oneshot(request(Method::GET, String::new())).await;
    assert_eq!((response.expect("a response").status(), calls.count()), (StatusCode::OK, 3));
}
