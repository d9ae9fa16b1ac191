//! Canonical JSON: two requests share a stored response only if every JSON reader sees one document.
#![no_main]

use std::convert::Infallible;

use bytes::Bytes;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use serde_json::Value;
use std::sync::Arc;
use tower::{Layer, ServiceExt, service_fn};

fuzz_target!(|documents: (&str, &str)| {
    let (first, second) = documents;
    let layer = IdempotencyLayer::global("fuzz", Arc::new(MemoryStore::new()));
    let handler = service_fn(|_request: Request<_>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
    });
    let service = layer.layer(handler);
    let send = |body: &str| {
        let request = Request::post("/orders")
            .header("host", "shop.example")
            .header("content-type", "application/json")
            .header("idempotency-key", "order-7")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .expect("a request");
        block_on(service.clone().oneshot(request)).expect("the layer has no errors")
    };
    let status = send(first).status();
    let repeated = send(second);
    if status != 200 || repeated.headers().get("idempotent-replayed").is_none() {
        return;
    }
    if first == second {
        return;
    }
    let values = [first, second].map(|text| serde_json::from_str::<Value>(text).ok());
    assert!(
        values[0].is_some() && values[0] == values[1],
        "one response for {first:?} and {second:?}"
    );
});
