//! Endpoints that are safe to retry: servers of `axum` on the loopback, asked over raw connections, and the
//! layer around services in virtual time.

mod bodies;
mod concurrency;
mod directory;
mod disconnects;
mod failing_stores;
mod fingerprints;
mod grpc;
mod key_headers;
mod privacy;
mod problems;
mod raw_client;
mod replays;
mod restarts;
mod scopes;
mod server;
mod spans;
mod store_policy;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use tower::ServiceExt;
use raw_client::Answer;

type Memory = Arc<MemoryStore>;

/// A layer with a store of its own.
fn layer() -> IdempotencyLayer<Memory> {
    IdempotencyLayer::global(Memory::default())
}

/// How often a handler has run.
#[derive(Clone, Debug, Default)]
struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }

    fn one_more(&self) -> usize {
        self.0.fetch_add(1, SeqCst) + 1
    }
}

/// An API whose handler answers with what `answer` makes of the number of its run, under the layer.
fn api<T, R>(
    layer: IdempotencyLayer<T>,
    answer: impl Fn(usize) -> R + Clone + Send + Sync + 'static,
) -> (Router, Runs)
where
    T: resilience::idempotent::Store + Clone,
    R: IntoResponse + 'static,
{
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || answer(counted.one_more());
    let routes = Router::new().route("/pay", any(handler.clone())).route("/refund", any(handler));
    (routes.layer(layer), runs)
}

/// Answers with the number of the run.
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

async fn ask(api: &Router, request: Request<Body>) -> Answer {
    let response = api.clone().oneshot(request).await.expect("a router never fails");
    answer(response).await
}

async fn answer(response: Response) -> Answer {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    Answer { status: head.status.as_u16(), headers: headers.collect(), body }
}
