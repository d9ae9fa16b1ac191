//! Responses, with headers against other sites and foreign scripts.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

const PAGE: &str = include_str!("page.html");

/// Returns the page. The scripts and styles of the page carry the nonce, and no other script runs.
pub(super) fn page(nonce: &str, controls: &str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let body = PAGE.replace("{{nonce}}", nonce).replace("{{controls}}", controls);
    respond(StatusCode::OK, "text/html; charset=utf-8", &policy, body)
}

/// Returns a value as JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(body) => respond(status, "application/json", NO_SOURCES, body),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Returns a refusal with the reason.
pub(super) fn problem(status: StatusCode, reason: &str) -> Response {
    let body = serde_json::json!({ "error": reason }).to_string();
    respond(status, "application/json", NO_SOURCES, body)
}

/// Returns a text.
pub(super) fn text(content_type: &'static str, body: String) -> Response {
    respond(StatusCode::OK, content_type, NO_SOURCES, body)
}

/// The content policy of data: a browser that shows the data loads and runs nothing.
const NO_SOURCES: &str = "default-src 'none'; frame-ancestors 'none'";

fn respond(status: StatusCode, content_type: &'static str, policy: &str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let constants = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in constants {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
