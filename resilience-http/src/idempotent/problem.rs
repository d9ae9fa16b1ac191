//! Responses of the layer itself: problems of RFC 9457, and their gRPC form.

use core::time::Duration;
use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use resilience_core::__internal::{EFFECT_METADATA, effect_metadata};
use resilience_core::{
    Classify, Effect, FailureKind, IdempotencyRejection, Rejected, RejectedKind,
};
use resilience_idempotency::KeyError;
use serde_json::{Map, Value};

use super::grpc;
use super::key_header::KeyHeaderError;
use super::record::NotStored;
use crate::protocol::Protocol;

/// The gRPC code `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: u8 = 3;
/// The gRPC code `DEADLINE_EXCEEDED`.
const DEADLINE_EXCEEDED: u8 = 4;
/// The gRPC code `PERMISSION_DENIED`.
const PERMISSION_DENIED: u8 = 7;
/// The gRPC code `RESOURCE_EXHAUSTED`.
const RESOURCE_EXHAUSTED: u8 = 8;

/// The shortest delay before another request, where the server knows no better value.
const ONE_SECOND: Duration = Duration::from_secs(1);

/// The reason why the layer answers a request without the handler.
#[derive(Debug)]
pub(super) struct Problem {
    /// The last part of the problem type.
    name: &'static str,
    status: StatusCode,
    grpc_code: u8,
    error: Cow<'static, str>,
    detail: &'static str,
    retry_after: Option<Duration>,
    /// Whether the handler has run or may have run, so that a new key can repeat the effect.
    may_have_run: bool,
    /// Whether this request has certainly had no effect.
    is_not_applied: bool,
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
            is_not_applied: class.effect.is_not_applied(),
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
            is_not_applied: true,
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

    pub(super) fn body_timeout() -> Self {
        let detail =
            "The body of the request did not arrive in time. Send the request again, unchanged.";
        let error = "request body incomplete";
        let problem = Self::of_request("body-timeout", StatusCode::REQUEST_TIMEOUT, error, detail);
        Self { grpc_code: DEADLINE_EXCEEDED, ..problem }
    }

    /// Creates the problem of a request above the limit of running requests.
    pub(super) fn too_many_running() -> Self {
        let detail = "The server handles as many requests as it can. Send the request again, unchanged, after the time in Retry-After.";
        let error = "too many running requests";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::of_request("too-many-running", status, error, detail);
        Self { grpc_code: RESOURCE_EXHAUSTED, retry_after: Some(ONE_SECOND), ..problem }
    }

    /// Creates the problem of a handled request without a stored response.
    pub(super) fn not_stored(reason: NotStored) -> Self {
        let problem = Self::new(IdempotencyRejection::NotStored);
        match reason {
            NotStored::TooLong => {
                let detail = "The request was handled before. The response was too long to store.";
                Self { detail, ..problem }
            }
            NotStored::Stream => {
                let detail = "The request was handled before. The response was a stream, which is not stored.";
                Self { detail, ..problem }
            }
            NotStored::Broken => Self {
                name: "response-broken",
                error: "the request was handled before, and its response ended with an error"
                    .into(),
                detail: "The request was handled before. Its response broke off, so the outcome cannot be returned. Find out the outcome before you send the request with another key.",
                ..problem
            },
        }
    }

    /// Creates the problem of a request whose handler has ended, and whose outcome the runtime
    /// rejected.
    pub(super) fn after_handler(rejected: &Rejected) -> Self {
        let problem = Self::from_rejection(rejected);
        if problem.name != IdempotencyRejection::StoreUnavailable.problem_type() {
            return problem;
        }
        let detail = "The request was handled, and the server could not store the outcome. Send the request again, unchanged.";
        Self { detail, may_have_run: true, is_not_applied: false, ..problem }
    }

    /// Creates the problem of a call that the idempotency runtime rejected.
    pub(super) fn from_rejection(rejected: &Rejected) -> Self {
        let source = std::error::Error::source(rejected);
        let key_error = source.and_then(|source| source.downcast_ref::<KeyError>());
        if matches!(key_error, Some(KeyError::Scope)) {
            return Self::no_scope();
        }
        let RejectedKind::Idempotency(reason) = rejected.kind() else {
            return Self::new(IdempotencyRejection::StoreUnavailable).retry_after(ONE_SECOND);
        };
        match (reason, key_error) {
            (IdempotencyRejection::InvalidKey, Some(error)) => {
                Self::invalid_key(KeyHeaderError::Invalid(*error))
            }
            // To the client, the call that took over is the first request, which still runs.
            (IdempotencyRejection::LeaseLost, _) => {
                let problem = Self::new(IdempotencyRejection::InFlight).retry_after(ONE_SECOND);
                Self { is_not_applied: false, ..problem }
            }
            _ if rejected.classify().kind == FailureKind::Permanent => Self::new(reason),
            _ => Self::new(reason).retry_after(rejected.retry_after().unwrap_or(ONE_SECOND)),
        }
    }

    /// Creates the problem of a request whose first request is still running.
    pub(super) fn in_flight(retry_after: Duration) -> Self {
        Self::new(IdempotencyRejection::InFlight).retry_after(retry_after)
    }

    fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// Returns the response of the layer; `base` is the first part of the problem type.
    pub(super) fn response(&self, protocol: Protocol, base: &str) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let content_type = HeaderValue::from_static(protocol.error_type());
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        match protocol {
            Protocol::Http => self.write_http(base, &mut response),
            Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => {
                self.write_grpc(response.headers_mut());
            }
        }
        response
    }

    fn write_http(&self, base: &str, response: &mut Response<Bytes>) {
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
        *response.body_mut() = Value::Object(members).to_string().into();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Ok(link) = format!("<{problem_type}>; rel=\"describedby\"").parse() {
            headers.insert(header::LINK, link);
        }
        if self.status == StatusCode::CONFLICT && self.retry_after.is_none() {
            // A client with a key repeats every other 409.
            let should_retry = HeaderName::from_static("x-should-retry");
            headers.insert(should_retry, HeaderValue::from_static("false"));
        }
        if let Some(delay) = self.retry_after {
            // Rounded up to whole seconds, at least one.
            let fraction = u64::from(delay.subsec_nanos() > 0);
            let seconds = delay.as_secs().saturating_add(fraction).max(1);
            headers.insert(header::RETRY_AFTER, seconds.into());
            // For clients that read milliseconds.
            if delay.as_secs() != seconds {
                let millis = HeaderName::from_static("retry-after-ms");
                headers.insert(millis, milliseconds(delay).into());
            }
        }
    }

    /// Writes the problem as a gRPC status without a body.
    fn write_grpc(&self, headers: &mut HeaderMap) {
        headers.insert(grpc::CODE, u16::from(self.grpc_code).into());
        if let Ok(message) = self.error.parse() {
            headers.insert(grpc::MESSAGE, message);
        }
        if let Some(effect) = effect_metadata(Effect::Refused).filter(|_| self.is_not_applied) {
            let name = HeaderName::from_static(EFFECT_METADATA);
            headers.insert(name, HeaderValue::from_static(effect));
        }
        if let Some(delay) = self.retry_after {
            let pushback = HeaderName::from_static("grpc-retry-pushback-ms");
            headers.insert(pushback, milliseconds(delay).into());
        }
    }
}

fn milliseconds(delay: Duration) -> u64 {
    u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
}
