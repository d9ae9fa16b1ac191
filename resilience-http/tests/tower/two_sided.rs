//! `RetryLayer` against `IdempotencyLayer`, both with default settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use resilience::http::{IdempotencyLayer, RetryLayer, TimeoutLayer};
use resilience::idempotent::MemoryStore;
use resilience::{RetryPolicy, testing};
use tokio::time::Instant;
use tower::{BoxError, ServiceBuilder, ServiceExt};

use crate::effects_of_a_test::Effects;

/// Returns the time until the response, the number of attempts, and the number of handler runs. The
/// client gives up each attempt after 300 ms.
async fn time_until_response(handler: Duration) -> (Duration, usize, usize) {
    let (attempts, runs) = (Arc::new(AtomicUsize::new(0)), Effects::default());
    let seen = runs.clone();
    let pay = post(move || async move {
        seen.increment();
        tokio::time::sleep(handler).await;
        "paid"
    });
    let endpoint = IdempotencyLayer::global("tests.two-sided", Arc::new(MemoryStore::new()));
    let server = Router::new().route("/payments", pay).route_layer(endpoint);
    let sent = Arc::clone(&attempts);
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::new().attempts(5)).idempotency_keys(true))
        .layer(TimeoutLayer::new(Duration::from_millis(300)))
        .map_request(move |request: Request<String>| {
            sent.fetch_add(1, SeqCst);
            request.map(Body::from)
        })
        .service(server);
    let start = Instant::now();
    let request = Request::post("/payments").body("10 EUR".to_owned()).expect("a request");
    let response: Result<_, BoxError> = client.oneshot(request).await;
    assert_eq!(response.expect("a response").headers()["idempotent-replayed"], "true");
    (start.elapsed(), attempts.load(SeqCst), runs.count())
}

#[tokio::test(start_paused = true)]
async fn a_handler_slower_than_the_client_answers_soon_after_its_end() {
    for draw in [0.0, 0.5, 1.0] {
        let _draws = testing::draws([draw]);
        for handler in [310, 400, 700, 1000] {
            let (time, attempts, runs) = time_until_response(Duration::from_millis(handler)).await;
            assert!(runs == 1 && attempts <= 5, "{runs} {attempts}");
            let handler = Duration::from_millis(handler);
            assert!(time >= handler && time < handler * 15 / 7, "{handler:?}: {time:?}");
        }
    }
}

#[tokio::test]
async fn a_final_409_is_not_repeated() {
    // The response is too long to store.
    let store = Arc::new(MemoryStore::new());
    let endpoint = IdempotencyLayer::global("tests.final", store).max_outcome(3);
    let runs = Effects::default();
    let seen = runs.clone();
    let pay = post(move || async move {
        seen.increment();
        "paid"
    });
    let server = Router::new().route("/payments", pay).route_layer(endpoint);
    let attempts = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&attempts);
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::new()))
        .map_request(move |request: Request<String>| {
            sent.fetch_add(1, SeqCst);
            request.map(Body::from)
        })
        .service(server);
    let ask = || {
        let request = Request::post("/payments").header("idempotency-key", "order-7");
        client.clone().oneshot(request.body("10 EUR".to_owned()).expect("a request"))
    };
    assert_eq!(ask().await.expect("a response").status(), StatusCode::OK);
    let repeated = ask().await.expect("a response");
    assert_eq!((repeated.status(), attempts.load(SeqCst)), (StatusCode::CONFLICT, 2));
    assert_eq!(repeated.headers()["x-should-retry"], "false");
    assert_eq!(runs.count(), 1);
}
