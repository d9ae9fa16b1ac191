//! The response of a server to a rejected call: HTTP status, gRPC code, problem type, and the
//! conversions for `axum` and `tonic`.

use crate::classify::Effect;
use crate::rejected::{IdempotencyRejection, RejectedKind};

/// The key of the effect in the metadata of a gRPC status. HTTP has statuses for "not executed",
/// and gRPC has none.
pub const EFFECT_METADATA: &str = "resilience-effect";

/// The values of [`EFFECT_METADATA`].
const EFFECTS: [(&str, Effect); 3] =
    [("refused", Effect::Refused), ("applied", Effect::Applied), ("unknown", Effect::Unknown)];

/// Returns the value of [`EFFECT_METADATA`].
///
/// The client has sent the request, so a call that was not sent further is a refused request.
#[must_use]
pub fn effect_metadata(effect: Effect) -> Option<&'static str> {
    let effect = if effect.is_not_applied() { Effect::Refused } else { effect };
    EFFECTS.iter().find(|(_, known)| *known == effect).map(|(text, _)| *text)
}

/// Returns the effect for a value of [`EFFECT_METADATA`], or `None` for any other value.
#[must_use]
pub fn effect_of_metadata(value: &[u8]) -> Option<Effect> {
    EFFECTS.iter().find(|(text, _)| text.as_bytes() == value).map(|(_, effect)| *effect)
}

// These matches are exhaustive: the compiler asks for a response to each new kind of rejection.
impl RejectedKind {
    /// Returns the HTTP status of the response.
    #[doc(hidden)]
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::CircuitOpen | Self::BulkheadFull => 503,
            Self::RateLimited => 429,
            Self::TimedOut | Self::DeadlineExceeded => 504,
            Self::Panicked => 500,
            Self::Idempotency(reason) => match reason {
                IdempotencyRejection::StoreUnavailable => 503,
                IdempotencyRejection::MissingKey | IdempotencyRejection::InvalidKey => 400,
                IdempotencyRejection::KeyReused => 422,
                IdempotencyRejection::InFlight
                | IdempotencyRejection::OutcomeUnknown
                | IdempotencyRejection::LeaseLost
                | IdempotencyRejection::NotStored => 409,
                IdempotencyRejection::Undecodable => 500,
            },
        }
    }

    /// Returns the gRPC status code of the response.
    #[doc(hidden)]
    #[must_use]
    pub const fn grpc_code(self) -> u8 {
        match self {
            // UNAVAILABLE
            Self::CircuitOpen | Self::BulkheadFull => 14,
            // RESOURCE_EXHAUSTED
            Self::RateLimited => 8,
            // DEADLINE_EXCEEDED
            Self::TimedOut | Self::DeadlineExceeded => 4,
            // INTERNAL
            Self::Panicked => 13,
            Self::Idempotency(reason) => match reason {
                // UNAVAILABLE
                IdempotencyRejection::StoreUnavailable => 14,
                // INVALID_ARGUMENT
                IdempotencyRejection::MissingKey | IdempotencyRejection::InvalidKey => 3,
                // FAILED_PRECONDITION
                IdempotencyRejection::KeyReused => 9,
                // ABORTED
                IdempotencyRejection::InFlight | IdempotencyRejection::LeaseLost => 10,
                // INTERNAL
                IdempotencyRejection::OutcomeUnknown
                | IdempotencyRejection::NotStored
                | IdempotencyRejection::Undecodable => 13,
            },
        }
    }
}

impl IdempotencyRejection {
    /// Returns the last part of the problem type (RFC 9457) that an idempotent endpoint reports.
    #[doc(hidden)]
    #[must_use]
    pub const fn problem_type(self) -> &'static str {
        match self {
            Self::MissingKey => "missing-key",
            Self::InvalidKey => "invalid-key",
            Self::KeyReused => "key-reused",
            Self::InFlight | Self::LeaseLost => "in-progress",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::NotStored => "completed-without-body",
            Self::Undecodable => "unreadable-record",
            Self::StoreUnavailable => "unavailable",
        }
    }

    /// Returns the detail of the problem: the cause, and the next step of the client.
    #[doc(hidden)]
    #[must_use]
    pub const fn problem_detail(self) -> &'static str {
        match self {
            Self::MissingKey => {
                "Send an Idempotency-Key header with a value that no other request uses."
            }
            Self::InvalidKey => {
                "A key has 1 to 255 printable ASCII characters, in one header. A key with a space needs quotation marks."
            }
            Self::KeyReused => {
                "The key belongs to a request with another method, host, path, query, content type or body."
            }
            Self::InFlight | Self::LeaseLost => {
                "The first request with this key is still running. Send the request again, unchanged, after the time in Retry-After."
            }
            Self::OutcomeUnknown => {
                "An earlier request with this key started, and its outcome is unknown. Find out the outcome before you send the request with another key."
            }
            Self::NotStored => {
                "The request was handled before. The response was a stream or too long to store."
            }
            Self::Undecodable => {
                "The request was handled before. The stored response cannot be read."
            }
            Self::StoreUnavailable => {
                "The server cannot find out now whether the request was handled before. Send the request again, unchanged."
            }
        }
    }
}

#[cfg(feature = "axum")]
mod axum {
    use core::time::Duration;

    use axum_core::response::{IntoResponse, Response};
    use http::{HeaderName, HeaderValue, StatusCode, header};

    use crate::classify::Classify;
    use crate::random::draw;
    use crate::rejected::Rejected;

    /// The response for a rejected call, with a short JSON body such as
    /// `{"error":"circuit open","retry_after":3}`. The status is:
    ///
    /// - 503: an open circuit, a full bulkhead and an unavailable store.
    /// - 429: a rate limit.
    /// - 504: a timeout, and a deadline that had passed before the call.
    /// - 400: a missing or invalid idempotency key.
    /// - 422: a key that was used for a different call.
    /// - 409: a key in use, and a key with an outcome that cannot be returned.
    /// - 500: an outcome that cannot be decoded, and a call that panicked.
    ///
    /// A rejection with a known time has a `Retry-After` header: whole seconds, rounded up, at
    /// least one. A random addition of up to a tenth of the time, at most 5 s, spreads the callers.
    /// A breaker that was forced open by hand and a full bulkhead know no time, and the response
    /// has no header. The response does not contain the name of the function.
    ///
    /// The rejection and its [`Effect`](crate::Effect) are in the extensions of the response. An
    /// `IdempotencyLayer` does not store a response with `Effect::NotSent`, so a repeated request
    /// runs again. A handler that has applied an effect before the rejected call returns
    /// `rejected.with_effect(Effect::Unknown)`.
    impl IntoResponse for Rejected {
        fn into_response(self) -> Response {
            let effect = self.classify().effect;
            let mut response = self.response();
            response.extensions_mut().insert(effect);
            response.extensions_mut().insert(self);
            response
        }
    }

    impl Rejected {
        fn response(&self) -> Response {
            let status = StatusCode::from_u16(self.kind().http_status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            let Some(after) = self.retry_after() else {
                let body = format!(r#"{{"error":"{}"}}"#, self.kind());
                return (status, json, body).into_response();
            };
            let seconds = seconds(after);
            let body = format!(r#"{{"error":"{}","retry_after":{seconds}}}"#, self.kind());
            let later: [(HeaderName, HeaderValue); 1] = [(header::RETRY_AFTER, seconds.into())];
            (status, json, later, body).into_response()
        }
    }

    fn seconds(after: Duration) -> u64 {
        let begun = u64::from(after.subsec_nanos() > 0);
        let seconds = after.as_secs().saturating_add(begun).max(1);
        // In whole seconds: zero below ten seconds.
        let spread = (seconds / 10).min(5);
        let later = Duration::from_secs(spread + 1).mul_f64(draw()).as_secs().min(spread);
        seconds.saturating_add(later)
    }
}

#[cfg(feature = "tonic")]
mod tonic {
    use std::sync::Arc;

    use tonic::metadata::MetadataValue;
    use tonic::{Code, Status};

    use super::{EFFECT_METADATA, effect_metadata};
    use crate::classify::Classify;
    use crate::rejected::Rejected;

    /// Converts into a status with the rejection as the source. The code is `UNAVAILABLE` for an
    /// open circuit, a full bulkhead and an unavailable store, `RESOURCE_EXHAUSTED` for a rate
    /// limit, and `DEADLINE_EXCEEDED` for a timeout and for a deadline that had passed before the
    /// call. Idempotency keys give `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `ABORTED` or
    /// `INTERNAL`, and a call that panicked gives `INTERNAL`. The delay before a retry is in
    /// `grpc-retry-pushback-ms`.
    ///
    /// The metadata `resilience-effect` tells a client that classifies the status with
    /// `resilience::http::classify` whether the call was executed: `refused` for a call that was
    /// rejected before the body ran, so the client may repeat the call. A method that has applied
    /// an effect before the rejected call converts `rejected.with_effect(Effect::Unknown)`.
    impl From<Rejected> for Status {
        fn from(rejected: Rejected) -> Self {
            let code = Code::from_i32(rejected.kind().grpc_code().into());
            let mut status = Self::new(code, rejected.kind().to_string());
            if let Some(after) = rejected.retry_after() {
                let millis = after.as_nanos().div_ceil(1_000_000);
                // Digits always parse.
                if let Ok(millis) = millis.to_string().parse() {
                    status.metadata_mut().insert("grpc-retry-pushback-ms", millis);
                }
            }
            if let Some(effect) = effect_metadata(rejected.classify().effect) {
                status.metadata_mut().insert(EFFECT_METADATA, MetadataValue::from_static(effect));
            }
            status.set_source(Arc::new(rejected));
            status
        }
    }
}

#[cfg(test)]
mod tests {
    use resilience_rules::MAX_IDEMPOTENCY_KEY_LENGTH;

    use super::*;

    #[test]
    fn the_detail_about_an_invalid_key_names_its_limit() {
        let detail = IdempotencyRejection::InvalidKey.problem_detail();
        assert!(detail.contains(&format!("1 to {MAX_IDEMPOTENCY_KEY_LENGTH} ")), "{detail}");
    }
}
