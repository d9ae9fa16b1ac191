//! Content types and bodies: no header and no body makes the layer panic, a repeated request gets the stored response,
//! and a request with another body does not, unless a JSON document or a multipart body has a further form.
#![no_main]

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::MemoryStore;
use tower::{Layer, ServiceExt, service_fn};

fuzz_target!(|request: (&[u8], &[u8], &[u8])| {
    let (content_type, first, second) = request;
    let Ok(content_type) = HeaderValue::from_bytes(content_type) else { return };
    let layer = IdempotencyLayer::global("fuzz", Arc::new(MemoryStore::new()));
    let handler = service_fn(|_request: Request<_>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
    });
    let service = layer.layer(handler);
    let is_replayed = |body: &[u8]| {
        let request = Request::post("/orders")
            .header("host", "shop.example")
            .header("content-type", &content_type)
            .header("idempotency-key", "order-7")
            .body(Full::new(Bytes::copy_from_slice(body)))
            .expect("a request");
        let response = block_on(service.clone().oneshot(request)).expect("the layer has no errors");
        response.headers().contains_key("idempotent-replayed")
    };
    assert!(!is_replayed(first));
    assert!(is_replayed(first), "{content_type:?}");
    let text = content_type.as_bytes().to_ascii_lowercase();
    let has_forms = [&b"json"[..], b"multipart/"]
        .iter()
        .any(|word| text.windows(word.len()).any(|part| part == *word));
    if first != second && !has_forms {
        assert!(!is_replayed(second), "{content_type:?}");
    } else {
        let _replayed = is_replayed(second);
    }
});
