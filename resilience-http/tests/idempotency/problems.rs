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

#[tokio::test(start_paused = true)]
async fn a_running_request_sets_retry_after() {
    let layer = layer().lease(Duration::from_secs(30));
    let (api, first) = busy(layer, Duration::from_secs(45));
    // The lease is renewed every ten seconds. The header holds the rest of the lease, rounded up.
    for (wait, left) in [(500, "30"), (5000, "25"), (4600, "30"), (20_000, "30")] {
        sleep(Duration::from_millis(wait)).await;
        let second = ask(&api, post("k")).await;
        assert_eq!((second.status, second.problem().as_deref()), (409, Some("in-progress")));
        assert_eq!(second.header("retry-after"), Some(left));
    }
    let first = first.await.expect("a response");
    assert!(first.status == 200 && !first.is_replay());
    assert!(ask(&api, post("k")).await.is_replay());
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_at_least_a_second() {
    let (api, _first) = busy(layer().lease(Duration::from_millis(300)), Duration::from_secs(9));
    sleep(Duration::from_millis(50)).await;
    assert_eq!(ask(&api, post("k")).await.header("retry-after"), Some("1"));
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
    let (api, runs) = counting(IdempotencyLayer::global(store));
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
    let (first, _) = counting(IdempotencyLayer::global(Memory::clone(&store)));
    ask(&first, post("k")).await;
    let (second, runs) = counting(IdempotencyLayer::global(store).version(2));
    let response = ask(&second, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (500, Some("unreadable-record")));
    assert_eq!(json(&response)["safe_new_key"], false);
    assert_eq!(runs.count(), 0);
}

/// Returns the response for a record with these bytes.
async fn with_record(bytes: &[u8]) -> RawResponse {
    let store = Memory::default();
    let policy = IdempotencyPolicy::new("http");
    let call = policy.call(Memory::clone(&store), Scope::Global, &"k", |about| {
        let about = about.value("POST").value("/pay").value(&None::<&str>);
        about.value(&None::<&[u8]>).bytes(b"10 EUR")
    });
    let Ok(Claimed::Run(running)) = call.expect("a key").claim().await else { panic!("a claim") };
    running.complete(bytes).await.expect("the outcome is stored");
    let (api, runs) = counting(IdempotencyLayer::global(store));
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
    let another_form = [&[2][..], &head(0)[1..]].concat();
    let no_status = [1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut broken = vec![&too_long[..], &no_header, &another_form, &no_status];
    let (many, whole) = (head(255), head(0));
    broken.push(&many);
    broken.extend((0..whole.len()).map(|end| &whole[..end]));
    for bytes in broken {
        let response = with_record(bytes).await;
        assert_eq!(response.problem().as_deref(), Some("unreadable-record"), "{bytes:?}");
        assert_eq!(response.status, 500);
    }
}
