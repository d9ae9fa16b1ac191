//! Problems of the layer: every row of the table.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::{Claimed, IdempotencyPolicy, MemoryStore, OnInterrupted, Scope};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::raw_client::RawResponse;
use crate::{Memory, api, ask, counting, layer, post};

fn json(response: &RawResponse) -> Value {
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    serde_json::from_slice(&response.body).expect("JSON")
}

#[tokio::test]
async fn a_missing_key() {
    let (api, runs) = counting(layer());
    let response = ask(&api, Request::post("/pay").body(Body::empty()).expect("a request")).await;
    let expected = json!({
        "type": "urn:problem:idempotency:missing-key",
        "title": "idempotency key missing",
        "status": 400,
        "detail": "Send an Idempotency-Key header with a value that no other request uses.",
        "error": "idempotency key missing",
    });
    assert_eq!((response.status, json(&response)), (400, expected));
    let link = "<urn:problem:idempotency:missing-key>; rel=\"describedby\"";
    assert_eq!(response.header("link"), Some(link));
    assert_eq!(response.header("retry-after"), None);
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn problem_types_can_have_a_base() {
    let (api, _) = counting(layer().problem_types("https://api.example/problems/"));
    let response = ask(&api, post("")).await;
    assert_eq!(json(&response)["type"], "https://api.example/problems/invalid-key");
    assert_eq!(json(&response)["error"], "the idempotency key is empty");
    let link = "<https://api.example/problems/invalid-key>; rel=\"describedby\"";
    assert_eq!(response.header("link"), Some(link));
}

/// Makes an API with a slow handler, and starts the first request.
fn busy(layer: IdempotencyLayer<Memory>, time: Duration) -> (Router, JoinHandle<RawResponse>) {
    let handler = async move || sleep(time).await;
    let api = Router::new().route("/pay", axum::routing::post(handler)).layer(layer);
    let first = api.clone();
    (api, tokio::spawn(async move { ask(&first, post("k")).await }))
}

/// Returns the delay of a 409, after a check that both headers agree.
fn delay(response: &RawResponse) -> Duration {
    assert_eq!((response.status, response.problem().as_deref()), (409, Some("in-progress")));
    let seconds = response.header("retry-after").expect("a delay").parse().expect("a number");
    match response.header("retry-after-ms").map(|it| it.parse().expect("a number")) {
        Some(millis) => {
            let delay = Duration::from_millis(millis);
            assert!(delay < Duration::from_secs(seconds));
            assert!(delay + Duration::from_secs(1) >= Duration::from_secs(seconds));
            delay
        }
        None => Duration::from_secs(seconds),
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_request_sets_a_short_and_growing_retry_after() {
    let (api, first) = busy(layer().lease(Duration::from_secs(30)), Duration::from_secs(60));
    sleep(Duration::from_millis(20)).await;
    // A client that obeys asks at times that grow by half: few requests, and an early response.
    let mut delays = Vec::new();
    while !first.is_finished() {
        let delay = delay(&ask(&api, post("k")).await);
        delays.push(delay.as_millis());
        sleep(delay).await;
    }
    assert_eq!(delays[..6], [250, 250, 260, 390, 585, 877], "{delays:?}");
    assert!(delays.is_sorted() && delays.last() == Some(&5000), "{delays:?}");
    assert!(delays.len() < 25, "{delays:?}");
    assert!(ask(&api, post("k")).await.is_replay());
}

#[tokio::test(start_paused = true)]
async fn a_request_in_another_process_sets_retry_after_by_its_lease() {
    // Layers that are no clones of one layer know as little of each other as two processes.
    let store = Memory::default();
    let layer = || IdempotencyLayer::global("http", Memory::clone(&store));
    let (_api, _first) = busy(layer(), Duration::from_secs(60));
    let (other, _) = counting(layer());
    sleep(Duration::from_millis(20)).await;
    let mut delays = Vec::new();
    for _ in 0..8 {
        let delay = delay(&ask(&other, post("k")).await);
        delays.push(delay.as_millis());
        sleep(delay).await;
    }
    assert_eq!(delays[..6], [250, 250, 260, 390, 585, 877], "{delays:?}");
}

#[tokio::test]
async fn a_key_with_another_payload() {
    let (api, runs) = counting(layer());
    assert_eq!(ask(&api, post("k")).await.status, 200);
    let other = Request::post("/pay").header("idempotency-key", "k").body(Body::from("99 EUR"));
    let response = ask(&api, other.expect("a request")).await;
    assert_eq!((response.status, response.problem().as_deref()), (422, Some("key-reused")));
    assert_eq!(response.header("retry-after"), None);
    // The rejection loses nothing.
    assert!(ask(&api, post("k")).await.is_replay());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn an_unknown_outcome() {
    let layer = layer().on_interrupted(OnInterrupted::Unknown);
    let (api, runs) = api(layer, |_| http::StatusCode::BAD_GATEWAY);
    assert_eq!(ask(&api, post("k")).await.status, 502);
    let response = ask(&api, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (409, Some("outcome-unknown")));
    assert_eq!(json(&response)["safe_new_key"], false);
    assert_eq!(response.header("retry-after"), None);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_full_store() {
    let store = Memory::new(MemoryStore::new().max_records(1));
    let (api, runs) = counting(IdempotencyLayer::global("http", store));
    assert_eq!(ask(&api, post("k")).await.status, 200);
    let response = ask(&api, post("l")).await;
    assert_eq!((response.status, response.problem().as_deref()), (503, Some("unavailable")));
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(ask(&api, post("k")).await.is_replay());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_record_of_another_version() {
    let store = Memory::default();
    let (first, _) = counting(IdempotencyLayer::global("http", Memory::clone(&store)));
    ask(&first, post("k")).await;
    let (second, runs) = counting(IdempotencyLayer::global("http", store).version(2));
    let response = ask(&second, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (500, Some("unreadable-record")));
    assert_eq!(json(&response)["safe_new_key"], false);
    assert_eq!(runs.count(), 0);
}

/// Returns the response for a record with these bytes.
async fn with_record(bytes: &[u8]) -> RawResponse {
    let store = Memory::default();
    let policy = IdempotencyPolicy::new("http");
    let call = policy.call(Memory::clone(&store), Scope::Global, &"k", |fingerprint| {
        fingerprint.value("POST").value("/pay").value(&None::<&str>)
    });
    let Ok(Claimed::Run(running)) = call.expect("a key").claim().await else { panic!("a claim") };
    running.complete(bytes).await.expect("the outcome is stored");
    // Only the method and the path count, as in the call above.
    let layer = IdempotencyLayer::global("http", store).fingerprint(|_, fingerprint| fingerprint);
    let (api, runs) = counting(layer);
    let response = ask(&api, post("k")).await;
    assert_eq!(runs.count(), 0);
    response
}

#[tokio::test]
async fn malformed_records() {
    let head = |headers: u8| [&[1, 200, 0, headers, 0, 0, 0][..], &[0; 4]].concat();
    let response = with_record(&[&head(0)[..], b"paid"].concat()).await;
    assert_eq!((response.status, response.text(), response.is_replay()), (200, "paid", true));
    let too_long = [1, 200, 0, 1, 0, 0, 0, 255, 255, 255, 255];
    let no_header = [1, 200, 0, 1, 0, 0, 0, 1, 0, 0, 0, b' ', 0, 0, 0, 0, 0, 0, 0, 0];
    let another_form = [&[9][..], &head(0)[1..]].concat();
    let no_status = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let (no_reason, another_reason) = ([2], [2, 9]);
    let mut broken = vec![&too_long[..], &no_header, &another_form, &no_status];
    broken.extend([&no_reason[..], &another_reason]);
    let (many, whole) = (head(255), head(0));
    broken.push(&many);
    broken.extend((0..whole.len()).map(|end| &whole[..end]));
    for bytes in broken {
        let response = with_record(bytes).await;
        assert_eq!(response.problem().as_deref(), Some("unreadable-record"), "{bytes:?}");
        assert_eq!(response.status, 500);
    }
}
