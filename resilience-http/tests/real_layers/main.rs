//! The layers of this library around and below layers of other crates, with the real crates:
//! `tonic`, `tonic-web`, `tower-http`, and buffers and limits of `tower`.

mod buffers;
mod compression;
mod grpc;
mod grpc_web;
mod panics;
mod timeouts;

#[path = "../idempotency/server.rs"]
mod server;

#[path = "../../../examples/deadlines/src/text.rs"]
mod text;

#[path = "../support/effects.rs"]
mod effects_of_a_test;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use effects_of_a_test::Effects as Runs;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;

type Memory = Arc<MemoryStore>;

fn layer() -> IdempotencyLayer<Memory> {
    IdempotencyLayer::global("real_layers", Memory::default())
}

fn post(key: &str) -> Request<Body> {
    let request = Request::post("/pay").header("idempotency-key", key).body(Body::from("10 EUR"));
    request.expect("a request")
}

fn is_replay<B>(response: &Response<B>) -> bool {
    response.headers().contains_key("idempotent-replayed")
}
