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

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::body::Body;
use axum::http::{Request, Response};
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;

type Memory = Arc<MemoryStore>;

fn layer() -> IdempotencyLayer<Memory> {
    IdempotencyLayer::global("real_layers", Memory::default())
}

/// The number of handler runs.
#[derive(Clone, Debug, Default)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    fn increment(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }
}

fn post(key: &str) -> Request<Body> {
    let request = Request::post("/pay").header("idempotency-key", key).body(Body::from("10 EUR"));
    request.expect("a request")
}

fn is_replay<B>(response: &Response<B>) -> bool {
    response.headers().contains_key("idempotent-replayed")
}
