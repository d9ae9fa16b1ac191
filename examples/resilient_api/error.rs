//! What goes wrong, what it means to the attributes, and what the caller is told.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use resilience::http::{classify, classify_response};
use resilience::{Classify, FailureClass, Rejected};
use serde_json::json;

#[derive(Debug)]
pub(crate) enum ApiError {
    /// The upstream's answer is no success.
    Answered { status: StatusCode, class: FailureClass, retry_after: Option<HeaderValue> },
    /// There was no answer, or half of one.
    NoAnswer(reqwest::Error),
    /// The caller asks for what is not there.
    Unknown,
    /// The caller sends something else than JSON.
    NoJson,
    /// Turned away by one of the attributes.
    Rejected(Rejected),
}

impl Classify for ApiError {
    fn classify(&self) -> FailureClass {
        match self {
            Self::Answered { class, .. } => *class,
            Self::NoAnswer(error) => classify(error),
            Self::Unknown | Self::NoJson => FailureClass::permanent(),
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
            // Its word on when to come back is passed on.
            Self::Answered { status, retry_after: Some(after), .. } => {
                let words = "the upstream is busy";
                let headers = [(header::RETRY_AFTER, after)];
                (status, headers, Json(json!({ "error": words }))).into_response()
            }
            Self::Answered { status, .. } => {
                bad_gateway(&format!("the upstream answered {status}"))
            }
            Self::NoAnswer(error) if error.is_decode() => {
                bad_gateway("the upstream answered no JSON")
            }
            Self::NoAnswer(_) => bad_gateway("the upstream did not answer"),
            Self::Unknown => {
                (StatusCode::NOT_FOUND, Json(json!({ "error": "not here" }))).into_response()
            }
            Self::NoJson => {
                let words = "the body is no JSON";
                (StatusCode::BAD_REQUEST, Json(json!({ "error": words }))).into_response()
            }
            Self::Rejected(rejected) => rejected.into_response(),
        }
    }
}

fn bad_gateway(words: &str) -> Response {
    (StatusCode::BAD_GATEWAY, Json(json!({ "error": words }))).into_response()
}
