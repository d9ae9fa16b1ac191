//! `TimeoutLayer` of `tower-http`, which answers 408, in virtual time.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post as on_post;
use resilience::idempotent::OnInterrupted;
use tokio::time::sleep;
use tower::ServiceExt;
use tower_http::timeout::TimeoutLayer;

use crate::{Runs, is_replay, layer, post};

const LIMIT: Duration = Duration::from_secs(1);

fn routes(runs: &Runs) -> Router {
    let runs = runs.clone();
    let handler = async move || {
        sleep(Duration::from_secs(3)).await;
        (StatusCode::CREATED, format!("run {}", runs.increment()))
    };
    Router::new().route("/pay", on_post(handler))
}

async fn ask(api: &Router) -> (u16, bool) {
    let response = api.clone().oneshot(post("k")).await.expect("a router is infallible");
    (response.status().as_u16(), is_replay(&response))
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LIMIT)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_leaves_the_handler_running() {
    let runs = Runs::default();
    let idempotency = layer();
    let api = routes(&runs).layer(idempotency.clone()).layer(timeout());
    assert_eq!(ask(&api).await, (504, false));
    assert_eq!(ask(&api).await, (409, false));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(ask(&api).await, (201, true));
    assert_eq!((runs.count(), idempotency.drain(LIMIT).await), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_ends_the_handler_with_an_unknown_effect() {
    for (mode, second) in [(OnInterrupted::Rerun, 504), (OnInterrupted::Unknown, 409)] {
        let runs = Runs::default();
        let api = routes(&runs).layer(timeout()).layer(layer().on_interrupted(mode));
        assert_eq!(ask(&api).await, (504, false));
        assert_eq!(ask(&api).await, (second, false));
        sleep(Duration::from_secs(9)).await;
        assert_eq!(runs.count(), 0, "the handlers were dropped");
    }
}
