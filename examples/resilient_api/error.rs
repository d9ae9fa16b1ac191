//! Errors of the API: meaning for the attributes, and response for the caller.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use resilience::http::{classify, classify_response};
use resilience::{Classify, FailureClass, Rejected};
use serde_json::json;

#[derive(Debug)]
pub(crate) enum ApiError {
    /// The upstream answered with an error status.
    Answered { status: StatusCode, class: FailureClass, retry_after: Option<HeaderValue> },
    /// The upstream sent no response, or an incomplete response.
    NoAnswer(reqwest::Error),
    /// The path does not exist.
    UnknownPath,
    /// The request body is not JSON.
    InvalidJson,
    /// An attribute rejected the call.
    Rejected(Rejected),
}

impl Classify for ApiError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::Answered { class, .. } => *class,
            Self::NoAnswer(error) => classify(error),
            Self::UnknownPath | Self::InvalidJson => FailureClass::permanent(),
            Self::Rejected(rejected) => rejected.classify(),
        }
    }
}

impl From<&reqwest::Response> for ApiError {
    fn from(response: &reqwest::Response) -> Self {
        let retry_after = response.headers().get(header::RETRY_AFTER).cloned();
        Self::Answered {
            status: response.status(),
            class: classify_response(response),
            retry_after,
        }
    }
}

impl From<Rejected> for ApiError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        Self::NoAnswer(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            // Forwards the `Retry-After` of the upstream.
            Self::Answered { status, retry_after: Some(after), .. } => {
                let message = "the upstream is busy";
                let headers = [(header::RETRY_AFTER, after)];
                (status, headers, Json(json!({ "error": message }))).into_response()
            }
            Self::Answered { status, .. } => {
                bad_gateway(&format!("the upstream answered {status}"))
            }
            Self::NoAnswer(error) if error.is_decode() => {
                bad_gateway("the response of the upstream is not JSON")
            }
            Self::NoAnswer(_) => bad_gateway("the upstream did not answer"),
            Self::UnknownPath => {
                (StatusCode::NOT_FOUND, Json(json!({ "error": "unknown path" }))).into_response()
            }
            Self::InvalidJson => {
                let message = "the body is not JSON";
                (StatusCode::BAD_REQUEST, Json(json!({ "error": message }))).into_response()
            }
            Self::Rejected(rejected) => rejected.into_response(),
        }
    }
}

fn bad_gateway(message: &str) -> Response {
    (StatusCode::BAD_GATEWAY, Json(json!({ "error": message }))).into_response()
}
