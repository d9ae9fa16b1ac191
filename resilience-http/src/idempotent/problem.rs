//! Responses of the layer itself: problems of RFC 9457, and their gRPC form.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use resilience_core::{Classify, FailureKind, IdempotencyRejection, Rejected, RejectedKind};
use resilience_idempotency::KeyError;
use serde_json::{Map, Value};

use super::grpc;
use super::key_header::KeyHeaderError;

/// The gRPC code `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: u8 = 3;
/// The gRPC code `PERMISSION_DENIED`.
const PERMISSION_DENIED: u8 = 7;

/// The reason why the layer answers a request without the handler.
#[derive(Debug)]
pub(super) struct Problem {
    /// The last part of the problem type.
    name: &'static str,
    status: StatusCode,
    grpc_code: u8,
    error: Cow<'static, str>,
    detail: &'static str,
    /// The delay in whole seconds.
    retry_after: Option<u64>,
    /// Whether the handler has run or may have run, so that a new key can repeat the effect.
    may_have_run: bool,
}

impl Problem {
    /// Creates the problem of a rejection.
    pub(super) fn new(reason: IdempotencyRejection) -> Self {
        let kind = RejectedKind::Idempotency(reason);
        let class = Rejected::new(kind, "", None).classify();
        let is_permanent = class.kind == FailureKind::Permanent;
        let status = StatusCode::from_u16(kind.http_status());
        Self {
            name: reason.problem_type(),
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            grpc_code: kind.grpc_code(),
            error: reason.to_string().into(),
            detail: reason.problem_detail(),
            retry_after: None,
            may_have_run: is_permanent && !class.effect.is_not_applied(),
        }
    }

    /// Creates a problem of the request.
    fn of_request(
        name: &'static str,
        status: StatusCode,
        error: &'static str,
        detail: &'static str,
    ) -> Self {
        Self {
            name,
            status,
            grpc_code: INVALID_ARGUMENT,
            error: error.into(),
            detail,
            retry_after: None,
            may_have_run: false,
        }
    }

    pub(super) fn invalid_key(error: KeyHeaderError) -> Self {
        let error = match error {
            KeyHeaderError::Several => {
                "the request has more than one idempotency key; send one".into()
            }
            KeyHeaderError::Malformed => {
                "the idempotency key starts with a quotation mark and is not a string of RFC 9651"
                    .into()
            }
            KeyHeaderError::Unquoted => {
                "the idempotency key has a space; send the key in quotation marks".into()
            }
            KeyHeaderError::Refused => {
                "the idempotency key breaks the rule of this endpoint for keys".into()
            }
            KeyHeaderError::Invalid(error) => error.to_string().into(),
        };
        Self { error, ..Self::new(IdempotencyRejection::InvalidKey) }
    }

    fn no_scope() -> Self {
        let detail = "The owner of the key is unknown, so the key cannot be kept apart from the keys of other owners.";
        let error = "owner of the idempotency key unknown";
        let problem = Self::of_request("no-scope", StatusCode::FORBIDDEN, error, detail);
        Self { grpc_code: PERMISSION_DENIED, ..problem }
    }

    pub(super) fn body_too_large() -> Self {
        let detail = "The server compares a request with the first request of the same key. This body is too long to compare.";
        let error = "request body too large";
        Self::of_request("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, error, detail)
    }

    pub(super) fn body_unreadable() -> Self {
        let detail = "The body of the request ended early.";
        let error = "request body unreadable";
        Self::of_request("body-unreadable", StatusCode::BAD_REQUEST, error, detail)
    }

    pub(super) fn not_stored() -> Self {
        Self::new(IdempotencyRejection::NotStored)
    }

    /// Creates the problem of a call that the idempotency runtime rejected.
    pub(super) fn from_rejection(rejected: &Rejected) -> Self {
        let source = std::error::Error::source(rejected);
        let key_error = source.and_then(|source| source.downcast_ref::<KeyError>());
        if matches!(key_error, Some(KeyError::Scope)) {
            return Self::no_scope();
        }
        let RejectedKind::Idempotency(reason) = rejected.kind() else {
            return Self::new(IdempotencyRejection::StoreUnavailable).retry_after(rejected);
        };
        match (reason, key_error) {
            (IdempotencyRejection::InvalidKey, Some(error)) => {
                Self::invalid_key(KeyHeaderError::Invalid(*error))
            }
            // To the client, the call that took over is the first request, which still runs.
            (IdempotencyRejection::LeaseLost, _) => {
                Self::new(IdempotencyRejection::InFlight).retry_after(rejected)
            }
            _ if rejected.classify().kind == FailureKind::Permanent => Self::new(reason),
            _ => Self::new(reason).retry_after(rejected),
        }
    }

    /// Adds the delay of the rejection, rounded up to whole seconds, at least one second.
    fn retry_after(self, rejected: &Rejected) -> Self {
        let after = rejected.retry_after().unwrap_or_default();
        let fraction = u64::from(after.subsec_nanos() > 0);
        Self { retry_after: Some(after.as_secs().saturating_add(fraction).max(1)), ..self }
    }

    /// Returns the problem as JSON; `base` is the first part of the problem type.
    pub(super) fn http_response(&self, base: &str) -> Response<Bytes> {
        let problem_type = format!("{base}{}", self.name);
        let mut members = Map::new();
        let mut member = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        member("type", problem_type.as_str().into());
        member("title", self.error.as_ref().into());
        member("status", self.status.as_u16().into());
        member("detail", self.detail.into());
        // For clients that look for `error` and do not know RFC 9457.
        member("error", self.error.as_ref().into());
        if self.may_have_run {
            member("safe_new_key", false.into());
        }
        let mut response = Response::new(Value::Object(members).to_string().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Ok(link) = format!("<{problem_type}>; rel=\"describedby\"").parse() {
            headers.insert(header::LINK, link);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Returns the problem as a gRPC status.
    pub(super) fn grpc_response(&self) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(grpc::CODE, u16::from(self.grpc_code).into());
        if let Ok(message) = self.error.parse() {
            headers.insert(grpc::MESSAGE, message);
        }
        if let Some(seconds) = self.retry_after {
            let pushback = HeaderName::from_static("grpc-retry-pushback-ms");
            headers.insert(pushback, seconds.saturating_mul(1000).into());
        }
        let mut response = Response::new(Bytes::new());
        *response.headers_mut() = headers;
        response
    }
}
