//! Private data: keys, scopes and payloads appear in no output.

use std::convert::Infallible;
use std::fmt::{Debug, Write};
use std::sync::{Mutex, Once};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use resilience::http::{IdempotencyLayer, IdempotentBody};
use resilience::idempotent::{OnInterrupted, OnStoreError};
use resilience::stores::SqliteStore;
use tower::{Layer, Service, ServiceExt};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::directory::Directory;
use crate::raw_client::position;
use crate::{Memory, ask, counting};

const KEY: &str = "a-key-that-stays-private";
const SCOPE: &str = "a-tenant-that-stays-private";
const PAYLOAD: &str = "a-card-that-stays-private";

static LOG: Mutex<String> = Mutex::new(String::new());

/// Captures every event of this process, also from the threads of a database.
struct All;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string accepts writes");
    }
}

impl Line {
    fn end(self) {
        let mut log = LOG.lock().expect("no panic under the lock");
        log.push_str(&self.0);
        log.push('\n');
    }
}

impl Subscriber for All {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        line.end();
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, record: &Record<'_>) {
        let mut line = Line("recorded".to_owned());
        record.record(&mut line);
        line.end();
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        line.end();
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(All).expect("no other subscriber"));
}

fn assert_no_private_data(place: &str, bytes: &[u8]) {
    for secret in [KEY, SCOPE, PAYLOAD] {
        let at = position(bytes, secret.as_bytes());
        assert_eq!(at, None, "{secret} in {place}: {}", String::from_utf8_lossy(bytes));
    }
}

fn request(payload: &str) -> Request<Body> {
    let request = Request::post("/pay").header("idempotency-key", KEY);
    request.body(Body::from(payload.to_owned())).expect("a request")
}

#[tokio::test]
async fn responses_database_and_log_have_no_private_data() {
    listen();
    let directory = Directory::new("secrets");
    let store = SqliteStore::open(directory.file("idempotency.db")).await.expect("a database");
    let layer = IdempotencyLayer::new("http", store.clone(), |_| SCOPE)
        .name("secretive")
        .on_interrupted(OnInterrupted::Unknown)
        .on_store_error(OnStoreError::FailOpen);
    let (api, runs) = counting(layer.clone());
    // Handled, replayed and rejected requests, and a request without a working store.
    for payload in [PAYLOAD, PAYLOAD, "another"] {
        let response = ask(&api, request(payload)).await;
        assert_no_private_data("a response", format!("{response:?}{}", response.text()).as_bytes());
    }
    let (failing, _) = crate::api(layer.clone().name("failing"), |_| http::StatusCode::BAD_GATEWAY);
    for _ in 0..2 {
        assert_no_private_data("a response", &ask(&failing, request(PAYLOAD)).await.body);
    }
    assert_no_private_data("the database", &directory.bytes());
    assert!(position(&directory.bytes(), b"secretive").is_some(), "the records are there");
    store.pool().close().await;
    assert_no_private_data("the database", &directory.bytes());
    assert_eq!(ask(&api, request(PAYLOAD)).await.text(), "run 2");
    assert_eq!(runs.count(), 2);

    let log = LOG.lock().expect("no panic under the lock").clone();
    for message in ["acquired", "replayed", "mismatch", "interrupted", "unprotected"] {
        assert!(log.contains(message), "{message} was not logged: {log}");
    }
    assert_no_private_data("the log", log.as_bytes());
}

#[tokio::test]
async fn debug_output_has_no_private_data() {
    let layer = IdempotencyLayer::new("http", Memory::default(), |_| SCOPE);
    let service = tower::service_fn(|request: Request<IdempotentBody<Body>>| {
        let shown = format!("{:?}", request.body());
        async move { Ok::<_, Infallible>(http::Response::new(Body::from(shown))) }
    });
    let mut service = layer.layer(service);
    assert_no_private_data("the layer", format!("{layer:?}{service:?}").as_bytes());
    for _ in 0..2 {
        let response = service.ready().await.expect("a ready service").call(request(PAYLOAD)).await;
        let response = response.expect("a response");
        assert_no_private_data("a response", format!("{response:?}").as_bytes());
        let shown = to_bytes(Body::new(response.into_body()), 100).await.expect("a body");
        assert_eq!(shown, "IdempotentBody { .. }");
    }
}
