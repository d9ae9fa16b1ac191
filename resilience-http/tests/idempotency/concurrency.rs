//! Concurrent requests with an equal key.

use std::time::Duration;

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::raw_client::{RawResponse, pay};
use crate::server::Server;
use crate::{Memory, Runs, ask, layer, post};

fn slow(layer: IdempotencyLayer<Memory>, time: Duration) -> (Router, Runs) {
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        let run = counted.increment();
        sleep(time).await;
        format!("run {run}")
    };
    (Router::new().route("/pay", on_post(handler)).layer(layer), runs)
}

/// Returns the responses to 64 concurrent clients.
async fn concurrent_responses(layer: IdempotencyLayer<Memory>) -> (Vec<RawResponse>, Runs) {
    let (api, runs) = slow(layer, Duration::from_millis(10));
    let server = Server::start(api).await;
    let address = server.address;
    let mut clients: JoinSet<_> = (0..64).map(|_| pay(address, "k")).collect();
    let mut responses = Vec::new();
    while let Some(response) = clients.join_next().await {
        responses.push(response.expect("a response"));
    }
    (responses, runs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_runs_and_concurrent_requests_are_rejected_or_replayed() {
    let (responses, runs) = concurrent_responses(layer()).await;
    assert_eq!(runs.count(), 1);
    assert_eq!(responses.len(), 64);
    for response in &responses {
        match response.status {
            200 => assert_eq!(response.text(), "run 1"),
            _ => assert_eq!(response.problem().as_deref(), Some("in-progress")),
        }
    }
    let first = responses.iter().filter(|it| it.status == 200 && !it.is_replay());
    assert_eq!(first.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_requests_get_one_response() {
    let (responses, runs) = concurrent_responses(layer().wait(Duration::from_secs(30))).await;
    assert_eq!(runs.count(), 1);
    for response in &responses {
        assert_eq!((response.status, response.text()), (200, "run 1"));
    }
    assert_eq!(responses.iter().filter(|it| !it.is_replay()).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded() {
    let (api, runs) = slow(layer().wait(Duration::from_secs(5)), Duration::from_secs(60));
    let first = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    sleep(Duration::from_secs(1)).await;
    let begin = tokio::time::Instant::now();
    let response = ask(&api, post("k")).await;
    assert_eq!(response.problem().as_deref(), Some("in-progress"));
    let waited = begin.elapsed();
    assert!((5000..5010).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(first.await.expect("a response").text(), "run 1");
    assert_eq!(runs.count(), 1);
}
