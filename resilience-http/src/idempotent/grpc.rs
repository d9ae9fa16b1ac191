//! gRPC: the status is in the trailers of a 200 response.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// The names of the status fields, in the trailers or in the headers of a response without a body.
pub(super) const STATUS: [HeaderName; 3] =
    [CODE, MESSAGE, HeaderName::from_static("grpc-status-details-bin")];

pub(super) const CODE: HeaderName = HeaderName::from_static("grpc-status");
pub(super) const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Returns whether the headers belong to a gRPC request or response.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// Returns the HTTP status equivalent to the gRPC status of a response.
pub(super) fn status(headers: &HeaderMap, trailers: &HeaderMap) -> Option<StatusCode> {
    if !is_grpc(headers) {
        return None;
    }
    let code = trailers.get(CODE).or_else(|| headers.get(CODE));
    Some(match code.map(HeaderValue::as_bytes) {
        Some(b"0") => StatusCode::OK,
        // The request itself is invalid.
        Some(b"3" | b"9" | b"11") => StatusCode::BAD_REQUEST,
        Some(b"5") => StatusCode::NOT_FOUND,
        Some(b"6") => StatusCode::CONFLICT,
        Some(b"7") => StatusCode::FORBIDDEN,
        Some(b"8") => StatusCode::TOO_MANY_REQUESTS,
        Some(b"16") => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

/// Returns the status fields of the trailers.
pub(super) fn status_trailers(trailers: &HeaderMap) -> HeaderMap {
    let mut status = HeaderMap::new();
    for name in STATUS {
        if let Some(value) = trailers.get(&name) {
            status.insert(name, value.clone());
        }
    }
    status
}
