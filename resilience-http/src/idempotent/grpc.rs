//! gRPC, whose status stands in trailers under a 200.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Where the status stands: in the trailers, or in the headers of an answer without a body.
pub(super) const STATUS: [HeaderName; 3] =
    [CODE, MESSAGE, HeaderName::from_static("grpc-status-details-bin")];

pub(super) const CODE: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Whether this is a request or an answer of gRPC.
pub(super) fn is_spoken(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// The status of HTTP that says the same as that of gRPC.
pub(super) fn status(headers: &HeaderMap, trailers: &HeaderMap) -> Option<StatusCode> {
    if !is_spoken(headers) {
        return None;
    }
    let code = trailers.get(CODE).or_else(|| headers.get(CODE));
    Some(match code.map(HeaderValue::as_bytes) {
        Some(b"0") => StatusCode::OK,
        // What the request is answered to as it stands.
        Some(b"3" | b"9" | b"11") => StatusCode::BAD_REQUEST,
        Some(b"5") => StatusCode::NOT_FOUND,
        Some(b"6") => StatusCode::CONFLICT,
        Some(b"7") => StatusCode::FORBIDDEN,
        Some(b"8") => StatusCode::TOO_MANY_REQUESTS,
        Some(b"16") => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// Those of the trailers that are the status.
pub(super) fn of(trailers: &HeaderMap) -> HeaderMap {
    let mut status = HeaderMap::new();
    for name in STATUS {
        if let Some(value) = trailers.get(&name) {
            status.insert(name, value.clone());
        }
    }
    status
}
