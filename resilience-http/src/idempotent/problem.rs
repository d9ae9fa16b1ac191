//! What the layer answers itself: problems of RFC 9457, with a word for those who read JSON and no more.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};
use resilience_idempotency::KeyError;
use serde_json::{Map, Value};

use super::grpc;
use super::key::Unclear;

/// Why a request is not handled.
#[derive(Debug)]
pub(super) struct Problem {
    /// The last part of its type.
    slug: &'static str,
    status: StatusCode,
    /// The status of gRPC.
    code: u8,
    error: Cow<'static, str>,
    detail: &'static str,
    /// In whole seconds.
    retry_after: Option<u64>,
    /// Whether the call has run, or may have: with a new key it would run twice.
    may_have_run: bool,
}

impl Problem {
    fn new(slug: &'static str, status: StatusCode, code: u8, detail: &'static str) -> Self {
        let (error, retry_after) = (Cow::Borrowed(""), None);
        Self { slug, status, code, error, detail, retry_after, may_have_run: false }
    }

    fn error(self, error: impl Into<Cow<'static, str>>) -> Self {
        Self { error: error.into(), ..self }
    }

    fn has_run(self) -> Self {
        Self { may_have_run: true, ..self }
    }

    /// At least a second, and rounded up: never too early.
    fn after(self, rejected: &Rejected) -> Self {
        let after = rejected.retry_after().unwrap_or_default();
        let begun = u64::from(after.subsec_nanos() > 0);
        Self { retry_after: Some(after.as_secs().saturating_add(begun).max(1)), ..self }
    }

    pub(super) fn missing_key() -> Self {
        let detail =
            "Send a header Idempotency-Key with a value that no other request of yours has.";
        Self::new("missing-key", StatusCode::BAD_REQUEST, 3, detail)
            .error(RejectedKind::Idempotency(IdempotencyRejection::MissingKey).to_string())
    }

    pub(super) fn unclear_key(why: Unclear) -> Self {
        let fault = match why {
            Unclear::Several => "there is more than one idempotency key".to_owned(),
            Unclear::Malformed => {
                "the idempotency key begins with a quotation mark and is no string of RFC 9651"
                    .to_owned()
            }
            Unclear::Fault(fault) => fault.to_string(),
        };
        let detail = "A key is 1 to 255 visible ASCII characters, in one header, with quotation marks or without.";
        Self::new("invalid-key", StatusCode::BAD_REQUEST, 3, detail).error(fault)
    }

    fn no_scope() -> Self {
        let detail = "It is not known whose request this is, so its key cannot be told from the keys of others.";
        Self::new("no-scope", StatusCode::FORBIDDEN, 7, detail).error("no owner of the key")
    }

    pub(super) fn body_too_large() -> Self {
        let detail = "A request with an idempotency key is compared with the first one that had it, and this one is too long for that.";
        Self::new("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, 3, detail)
            .error("request body too large")
    }

    pub(super) fn body_unreadable() -> Self {
        let detail = "The body of the request ended before its time.";
        Self::new("body-unreadable", StatusCode::BAD_REQUEST, 3, detail)
            .error("request body unreadable")
    }

    pub(super) fn outcome_unknown() -> Self {
        let detail = "The request was begun before, and nobody knows how it ended. Find out before you send it with another key.";
        Self::new("outcome-unknown", StatusCode::CONFLICT, 13, detail)
            .error(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown).to_string())
            .has_run()
    }

    pub(super) fn without_body() -> Self {
        let detail =
            "The request was handled before, and its answer was too long to be kept, or a stream.";
        Self::new("completed-without-body", StatusCode::CONFLICT, 13, detail)
            .error(RejectedKind::Idempotency(IdempotencyRejection::NotStored).to_string())
            .has_run()
    }

    pub(super) fn unreadable_record() -> Self {
        let detail =
            "The request was handled before, and the answer that was kept of it cannot be read.";
        Self::new("unreadable-record", StatusCode::INTERNAL_SERVER_ERROR, 13, detail)
            .error(RejectedKind::Idempotency(IdempotencyRejection::Undecodable).to_string())
            .has_run()
    }

    /// A call that the runtime has turned away.
    pub(super) fn of(rejected: &Rejected) -> Self {
        let source = std::error::Error::source(rejected);
        match (rejected.kind(), source.and_then(|fault| fault.downcast_ref())) {
            (_, Some(KeyError::Scope)) => Self::no_scope(),
            (RejectedKind::Idempotency(IdempotencyRejection::MissingKey), _) => Self::missing_key(),
            (RejectedKind::Idempotency(IdempotencyRejection::InvalidKey), fault) => {
                Self::unclear_key(fault.map_or(Unclear::Malformed, |it| Unclear::Fault(*it)))
            }
            (RejectedKind::Idempotency(IdempotencyRejection::KeyReused), _) => {
                let detail = "The key belongs to another request: another method, path, query, kind of content or body.";
                Self::new("key-reused", StatusCode::UNPROCESSABLE_ENTITY, 9, detail)
                    .error(rejected.kind().to_string())
            }
            (
                RejectedKind::Idempotency(IdempotencyRejection::InFlight)
                | RejectedKind::Idempotency(IdempotencyRejection::LeaseLost),
                _,
            ) => {
                let detail = "The first request with this key is not done yet. Send it again, as it is, after the time in Retry-After.";
                Self::new("in-progress", StatusCode::CONFLICT, 10, detail)
                    .error(RejectedKind::Idempotency(IdempotencyRejection::InFlight).to_string())
                    .after(rejected)
            }
            (RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown), _) => {
                Self::outcome_unknown()
            }
            (RejectedKind::Idempotency(IdempotencyRejection::NotStored), _) => Self::without_body(),
            (RejectedKind::Idempotency(IdempotencyRejection::Undecodable), _) => {
                Self::unreadable_record()
            }
            _ => {
                let detail = "It cannot be found out now whether the request was handled before. Send it again, as it is.";
                Self::new("unavailable", StatusCode::SERVICE_UNAVAILABLE, 14, detail)
                    .error(
                        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
                            .to_string(),
                    )
                    .after(rejected)
            }
        }
    }

    /// The answer, with `types` in front of the type.
    pub(super) fn answer(&self, types: &str) -> Response<Bytes> {
        let kind = format!("{types}{}", self.slug);
        let mut members = Map::new();
        let mut member = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        member("type", kind.as_str().into());
        member("title", self.error.as_ref().into());
        member("status", self.status.as_u16().into());
        member("detail", self.detail.into());
        member("error", self.error.as_ref().into());
        if self.may_have_run {
            member("safe_new_key", false.into());
        }
        let mut response = Response::new(Value::Object(members).to_string().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Ok(link) = format!("<{kind}>; rel=\"describedby\"").parse() {
            headers.insert(header::LINK, link);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// The same to one who speaks gRPC.
    pub(super) fn grpc_answer(&self) -> Response<Bytes> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(grpc::CODE, u16::from(self.code).into());
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
