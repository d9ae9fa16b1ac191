//! The client half against the server half, both with their defaults.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request};
use axum::routing::post as on_post;
use resilience::http::{RetryLayer, TimeoutLayer};
use resilience::idempotent::OnInterrupted;
use resilience::{RetryPolicy, testing};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

use crate::raw_client::pay;
use crate::server::Server;
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

/// A gateway passes the key on. Its earlier attempt still runs at the service, so the service answers
/// 409 for now. The gateway must not repeat this response forever.
#[tokio::test]
async fn a_gateway_does_not_store_the_409_of_a_running_request() {
    let runs = Runs::default();
    let (counted, finish) = (runs.clone(), Arc::new(Notify::new()));
    let finished = Arc::clone(&finish);
    let handler = async move || {
        let run = counted.increment();
        finished.notified().await;
        format!("run {run}")
    };
    let service = Router::new().route("/pay", on_post(handler)).layer(layer());
    let service = Server::start(service).await;
    let (upstream, client) = (service.address, reqwest::Client::new());
    let forward = async move |headers: HeaderMap, body: String| {
        let request = client.post(format!("http://{upstream}/pay")).body(body);
        let request = request.header("idempotency-key", headers["idempotency-key"].clone());
        let response = request.send().await.expect("a response");
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, response.bytes().await.expect("a body"))
    };
    // The earlier attempt, whose gateway has ended.
    let earlier = Router::new().route("/pay", on_post(forward.clone()));
    let earlier = Server::start(earlier).await;
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let gateway = layer().on_interrupted(mode);
        let gateway = Router::new().route("/pay", on_post(forward.clone())).layer(gateway);
        let gateway = Server::start(gateway).await;
        let key = format!("{mode:?}");
        let begun = runs.count();
        let lost = tokio::spawn({
            let (address, key) = (earlier.address, key.clone());
            async move { pay(address, &key).await }
        });
        while runs.count() == begun {
            tokio::task::yield_now().await;
        }
        let running = pay(gateway.address, &key).await;
        assert_eq!((running.status, running.problem().as_deref()), (409, Some("in-progress")));
        finish.notify_one();
        lost.await.expect("a response");
        let response = pay(gateway.address, &key).await;
        assert_eq!((response.status, response.text()), (200, &*format!("run {}", begun + 1)));
        assert_eq!(runs.count(), begun + 1);
    }
}
