//! `CatchPanicLayer` of `tower-http`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post as on_post;
use resilience::http::CircuitBreakerLayer;
use resilience::idempotent::OnInterrupted;
use resilience::{CircuitBreaker, CircuitState};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{Runs, layer, post};

#[tokio::test]
async fn a_panic_is_an_unknown_end_inside_and_outside() {
    for is_outside in [true, false] {
        for (mode, second) in [(OnInterrupted::Rerun, 201), (OnInterrupted::Unknown, 409)] {
            let runs = Runs::default();
            let counted = runs.clone();
            let handler = async move || {
                assert!(counted.increment() > 1, "a panic of the first run");
                StatusCode::CREATED
            };
            let routes = Router::new().route("/pay", on_post(handler));
            let idempotency = layer().on_interrupted(mode);
            let api = if is_outside {
                routes.layer(idempotency).layer(CatchPanicLayer::new())
            } else {
                routes.layer(CatchPanicLayer::new()).layer(idempotency)
            };
            let ask = async || {
                let response = api.clone().oneshot(post("k")).await;
                response.expect("a router is infallible").status().as_u16()
            };
            assert_eq!((ask().await, ask().await), (500, second), "{mode:?}");
            assert_eq!(runs.count(), if second == 201 { 2 } else { 1 });
        }
    }
}

async fn broken(_: Request) -> Result<Response, Infallible> {
    panic!("a panic of the service")
}

#[tokio::test]
async fn a_caught_panic_opens_a_circuit() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1));
    let service = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service_fn(broken));
    let api = CatchPanicLayer::new().layer(service);
    let response = api.clone().oneshot(post("k")).await.expect("a response");
    assert_eq!(
        (response.status(), breaker.state()),
        (StatusCode::INTERNAL_SERVER_ERROR, CircuitState::Open)
    );
    assert!(api.oneshot(post("k")).await.is_err(), "rejected");
}
