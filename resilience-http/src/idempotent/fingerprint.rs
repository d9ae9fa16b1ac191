//! The fingerprint of a request.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use resilience_idempotency::FingerprintBuilder;
use serde_json::Value;

/// Adds the method, the path, the query, the content type and the body of a request.
///
/// With `canonical`, JSON documents are compared by value instead of by bytes.
pub(super) fn add_request(
    fingerprint: FingerprintBuilder,
    request: &Parts,
    body: &[u8],
    canonical: bool,
) -> FingerprintBuilder {
    let content_type = request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let fingerprint = fingerprint
        .value(request.method.as_str())
        .value(request.uri.path())
        .value(&request.uri.query())
        .value(&content_type);
    match serde_json::from_slice::<Value>(body) {
        Ok(json) if canonical && content_type.is_some_and(is_json) => fingerprint.value(&json),
        _ => fingerprint.bytes(body),
    }
}

/// Returns whether the content type is `application/json` or ends in `+json`.
fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    let kind = kind.trim_ascii().to_ascii_lowercase();
    kind == b"application/json" || kind.ends_with(b"+json")
}
