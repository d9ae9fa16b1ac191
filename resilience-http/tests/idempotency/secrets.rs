//! What nobody is told: keys, whose they are, and what was sent (C62).

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
use crate::wire::position;
use crate::{Memory, ask, counting};

const KEY: &str = "a-key-that-nobody-sees";
const SCOPE: &str = "a-tenant-that-nobody-sees";
const PAYLOAD: &str = "a-card-that-nobody-sees";

static LOG: Mutex<String> = Mutex::new(String::new());

/// Everything that is logged by anybody in this process, also on the threads of a database.
struct All;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string takes everything");
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
    ONCE.call_once(|| tracing::subscriber::set_global_default(All).expect("the only one"));
}

fn assert_silent(what: &str, bytes: &[u8]) {
    for secret in [KEY, SCOPE, PAYLOAD] {
        let at = position(bytes, secret.as_bytes());
        assert_eq!(at, None, "{secret} in {what}: {}", String::from_utf8_lossy(bytes));
    }
}

fn request(payload: &str) -> Request<Body> {
    let request = Request::post("/pay").header("idempotency-key", KEY);
    request.body(Body::from(payload.to_owned())).expect("a request")
}

#[tokio::test]
async fn nobody_is_told() {
    listen();
    let directory = Directory::new("secrets");
    let store = SqliteStore::open(directory.file("idempotency.db")).await.expect("a database");
    let layer = IdempotencyLayer::new(store.clone(), |_| SCOPE)
        .name("secretive")
        .on_interrupted(OnInterrupted::Unknown)
        .on_store_error(OnStoreError::FailOpen);
    let (api, runs) = counting(layer.clone());
    // Handled, replayed, turned away; and once without a store.
    for payload in [PAYLOAD, PAYLOAD, "another"] {
        let answer = ask(&api, request(payload)).await;
        assert_silent("an answer", format!("{answer:?}{}", answer.text()).as_bytes());
    }
    let (failing, _) = crate::api(layer.clone().name("failing"), |_| http::StatusCode::BAD_GATEWAY);
    for _ in 0..2 {
        assert_silent("an answer", &ask(&failing, request(PAYLOAD)).await.body);
    }
    assert_silent("the database", &directory.bytes());
    assert!(position(&directory.bytes(), b"secretive").is_some(), "the records are there");
    store.pool().close().await;
    assert_silent("the database", &directory.bytes());
    assert_eq!(ask(&api, request(PAYLOAD)).await.text(), "run 2");
    assert_eq!(runs.count(), 2);

    let log = LOG.lock().expect("no panic under the lock").clone();
    for said in ["acquired", "replayed", "mismatch", "interrupted", "unprotected"] {
        assert!(log.contains(said), "{said} was not logged: {log}");
    }
    assert_silent("the log", log.as_bytes());
}

#[tokio::test]
async fn neither_is_who_debugs() {
    let layer = IdempotencyLayer::new(Memory::default(), |_| SCOPE);
    let service = tower::service_fn(|request: Request<IdempotentBody<Body>>| {
        let shown = format!("{:?}", request.body());
        async move { Ok::<_, Infallible>(http::Response::new(Body::from(shown))) }
    });
    let mut service = layer.layer(service);
    assert_silent("the layer", format!("{layer:?}{service:?}").as_bytes());
    for _ in 0..2 {
        let answer = service.ready().await.expect("it is").call(request(PAYLOAD)).await;
        let answer = answer.expect("an answer");
        assert_silent("an answer", format!("{answer:?}").as_bytes());
        let shown = to_bytes(Body::new(answer.into_body()), 100).await.expect("a body");
        assert_eq!(shown, "IdempotentBody { .. }");
    }
}
