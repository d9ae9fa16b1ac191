//! Idempotency keys: no header makes the layer panic, and a key of the client side is a key of the server side.
#![no_main]

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use resilience::http::{IdempotencyKey, IdempotencyLayer};
use resilience::idempotent::MemoryStore;
use tower::{Layer, ServiceExt, service_fn};

fuzz_target!(|bytes: &[u8]| {
    let effects = Arc::new(AtomicUsize::new(0));
    let layer = IdempotencyLayer::global("fuzz", Arc::new(MemoryStore::new()));
    let send = |key: HeaderValue| {
        let effects = Arc::clone(&effects);
        let handler = service_fn(move |_request: Request<_>| {
            effects.fetch_add(1, Relaxed);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done")))) }
        });
        let request =
            Request::post("/orders").header("host", "shop.example").header("idempotency-key", key);
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        block_on(layer.layer(handler).oneshot(request)).expect("the layer has no errors").status()
    };
    let key = std::str::from_utf8(bytes).ok().and_then(|text| IdempotencyKey::try_from(text).ok());
    if let Some(key) = key {
        let [first, second] = [0; 2].map(|_| send(HeaderValue::from(&key)));
        assert_eq!((first, second), (StatusCode::OK, StatusCode::OK), "{key}");
        assert_eq!(effects.load(Relaxed), 1, "{key}");
    }
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        let [first, second] = [0; 2].map(|_| send(value.clone()));
        assert_eq!(first, second, "{value:?}");
        assert!(effects.load(Relaxed) <= 2, "{value:?}");
    }
});
