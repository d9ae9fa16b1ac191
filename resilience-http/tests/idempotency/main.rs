//! Idempotent endpoints: `axum` servers on loopback ports with raw connections, and the layer in
//! virtual time.

mod bodies;
mod canonical_json;
mod concurrency;
mod directory;
mod disconnects;
mod effects;
mod failing_stores;
mod fingerprints;
mod grpc;
mod grpc_web;
mod key_headers;
mod nasty_requests;
mod nested_routers;
mod privacy;
mod problems;
mod raw_client;
mod replays;
mod restarts;
mod running;
mod scopes;
mod server;
mod services;
mod settings;
mod spans;
mod store_policy;
mod two_halves;

#[path = "../support/effects.rs"]
mod effects_of_a_test;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use effects_of_a_test::Effects as Runs;
use raw_client::RawResponse;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use tower::ServiceExt;

type Memory = Arc<MemoryStore>;

/// Makes a layer with a new store.
fn layer() -> IdempotencyLayer<Memory> {
    IdempotencyLayer::global("http", Memory::default())
}

/// Makes an API under the layer; `respond` maps the number of a run to the response.
fn api<T, R>(
    layer: IdempotencyLayer<T>,
    respond: impl Fn(usize) -> R + Clone + Send + Sync + 'static,
) -> (Router, Runs)
where
    T: resilience::idempotent::Store + Clone,
    R: IntoResponse + 'static,
{
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || respond(counted.increment());
    let routes = Router::new().route("/pay", any(handler.clone())).route("/refund", any(handler));
    (routes.layer(layer), runs)
}

/// Makes an API whose response is the number of the run.
fn counting<T: resilience::idempotent::Store + Clone>(
    layer: IdempotencyLayer<T>,
) -> (Router, Runs) {
    api(layer, |run| format!("run {run}"))
}

fn post(key: &str) -> Request<Body> {
    Request::post("/pay")
        .header("idempotency-key", key)
        .body(Body::from("10 EUR"))
        .expect("a request")
}

async fn ask(api: &Router, request: Request<Body>) -> RawResponse {
    let response = api.clone().oneshot(request).await.expect("a router is infallible");
    read_response(response).await
}

async fn read_response(response: Response) -> RawResponse {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    RawResponse { status: head.status.as_u16(), headers: headers.collect(), body }
}
