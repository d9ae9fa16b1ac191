//! A POST with an idempotency key to a handler of axum, in memory: a key for each call, or one key
//! for all.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use tower::Service as _;

use crate::{Row, runtime, work};

const NAME: &str = "idempotency, a POST with a new key";

pub(crate) const NEW: &[Row] = &[
    Row { name: NAME, subject: BARE, run: |calls| send(calls, bare(), |call| call) },
    Row { name: NAME, subject: OURS, run: |calls| send(calls, ours(), |call| call) },
];

const NAME_KNOWN: &str = "idempotency, a POST with a known key";

pub(crate) const KNOWN: &[Row] = &[
    Row { name: NAME_KNOWN, subject: BARE, run: |calls| send(calls, bare(), |_| 0) },
    Row { name: NAME_KNOWN, subject: OURS, run: |calls| send(calls, ours(), |_| 0) },
];

const BARE: &str = "by hand: the handler alone";
const OURS: &str = "resilience `IdempotencyLayer`";

fn bare() -> Router {
    Router::new().route("/orders", post(order))
}

fn ours() -> Router {
    bare().layer(IdempotencyLayer::global("bench", Arc::new(MemoryStore::new())))
}

async fn order(body: String) -> String {
    work(7).map_or_else(|_| String::new(), |_| body)
}

/// Sends requests with the given key for each call, and reads the responses.
fn send(calls: u64, mut router: Router, key: fn(u64) -> u64) {
    runtime().block_on(async {
        for call in 0..calls {
            let request = Request::post("/orders")
                .header("idempotency-key", format!("key-{}", key(call)))
                .body(Body::from("an order"));
            let response = router.call(request.expect("a valid request")).await;
            let response = response.unwrap_or_else(|never| match never {});
            let status = response.status();
            let body = to_bytes(response.into_body(), usize::MAX).await;
            assert!(status.is_success() && body.is_ok_and(|body| body == "an order"), "{status}");
        }
    });
}
