//! The client half against the server half, both with their defaults.

use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::routing::post as on_post;
use resilience::http::{RetryLayer, TimeoutLayer};
use resilience::{RetryPolicy, testing};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

use crate::{Runs, layer};

/// The client gives up each attempt after 300 ms, and the handler continues.
#[tokio::test(start_paused = true)]
async fn a_handler_of_700_ms_is_answered_within_1500_ms() {
    for draw in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let _draws = testing::draws([draw]);
        let runs = Runs::default();
        let counted = runs.clone();
        let handler = async move || {
            let run = counted.increment();
            sleep(Duration::from_millis(700)).await;
            format!("run {run}")
        };
        let client = ServiceBuilder::new()
            .layer(RetryLayer::new(RetryPolicy::new().attempts(5)).idempotency_keys(true))
            .layer(TimeoutLayer::new(Duration::from_millis(300)))
            .service(Router::new().route("/pay", on_post(handler)).layer(layer()));
        let begin = Instant::now();
        let request = Request::post("/pay").body(String::from("10 EUR")).expect("a request");
        let response = client.oneshot(request).await.expect("a response");
        let time = begin.elapsed();
        assert_eq!((response.status().as_u16(), runs.count()), (200, 1), "{draw} {time:?}");
        assert!(time < Duration::from_millis(1500), "{draw} {time:?}");
    }
}
