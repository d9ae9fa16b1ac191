//! Conversion of a rejection into a response of `axum` or `tonic`.

#[cfg(feature = "axum")]
mod axum {
    use core::time::Duration;

    use axum_core::response::{IntoResponse, Response};
    use http::{HeaderName, HeaderValue, StatusCode, header};

    use crate::random::draw;
    use crate::rejected::{IdempotencyRejection, Rejected, RejectedKind};

    /// The response for a rejected call, with a short JSON body such as
    /// `{"error":"circuit open","retry_after":3}`. The status is:
    ///
    /// - 503: an open circuit, a full bulkhead and an unavailable store.
    /// - 429: a rate limit.
    /// - 504: a timeout.
    /// - 400: a missing or invalid idempotency key.
    /// - 422: a key that was used for a different call.
    /// - 409: a key in use, and a key with an outcome that cannot be returned.
    /// - 500: an outcome that cannot be decoded.
    ///
    /// Every 429 and 503, and a 409 for a running call, has a `Retry-After` header: whole seconds,
    /// rounded up, at least one. A random addition of up to a tenth of the time, at most 5 s,
    /// spreads the callers. The response does not contain the name of the function.
    impl IntoResponse for Rejected {
        fn into_response(self) -> Response {
            let status = match self.kind() {
                RejectedKind::CircuitOpen | RejectedKind::BulkheadFull => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                RejectedKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                RejectedKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                RejectedKind::Idempotency(reason) => match reason {
                    IdempotencyRejection::StoreUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                    IdempotencyRejection::MissingKey | IdempotencyRejection::InvalidKey => {
                        StatusCode::BAD_REQUEST
                    }
                    IdempotencyRejection::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                    IdempotencyRejection::InFlight
                    | IdempotencyRejection::OutcomeUnknown
                    | IdempotencyRejection::LeaseLost
                    | IdempotencyRejection::NotStored => StatusCode::CONFLICT,
                    IdempotencyRejection::Undecodable => StatusCode::INTERNAL_SERVER_ERROR,
                },
            };
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            let says_when = matches!(status.as_u16(), 429 | 503) || self.retry_after().is_some();
            if !says_when {
                let body = format!(r#"{{"error":"{}"}}"#, self.kind());
                return (status, json, body).into_response();
            }
            let seconds = seconds(&self);
            let body = format!(r#"{{"error":"{}","retry_after":{seconds}}}"#, self.kind());
            let later: [(HeaderName, HeaderValue); 1] = [(header::RETRY_AFTER, seconds.into())];
            (status, json, later, body).into_response()
        }
    }

    fn seconds(rejected: &Rejected) -> u64 {
        let after = rejected.retry_after().unwrap_or_default();
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

    use tonic::{Code, Status};

    use crate::rejected::{IdempotencyRejection, Rejected, RejectedKind};

    /// Converts into a status with the rejection as the source. The code is `UNAVAILABLE` for an
    /// open circuit, a full bulkhead and an unavailable store, `RESOURCE_EXHAUSTED` for a rate
    /// limit, and `DEADLINE_EXCEEDED` for a timeout. Idempotency keys give `INVALID_ARGUMENT`,
    /// `FAILED_PRECONDITION`, `ABORTED` or `INTERNAL`. The delay before a retry is in
    /// `grpc-retry-pushback-ms`.
    impl From<Rejected> for Status {
        fn from(rejected: Rejected) -> Self {
            let code = match rejected.kind() {
                RejectedKind::CircuitOpen | RejectedKind::BulkheadFull => Code::Unavailable,
                RejectedKind::RateLimited => Code::ResourceExhausted,
                RejectedKind::TimedOut => Code::DeadlineExceeded,
                RejectedKind::Idempotency(reason) => match reason {
                    IdempotencyRejection::StoreUnavailable => Code::Unavailable,
                    IdempotencyRejection::MissingKey | IdempotencyRejection::InvalidKey => {
                        Code::InvalidArgument
                    }
                    IdempotencyRejection::KeyReused => Code::FailedPrecondition,
                    IdempotencyRejection::InFlight | IdempotencyRejection::LeaseLost => {
                        Code::Aborted
                    }
                    IdempotencyRejection::OutcomeUnknown
                    | IdempotencyRejection::NotStored
                    | IdempotencyRejection::Undecodable => Code::Internal,
                },
            };
            let mut status = Self::new(code, rejected.kind().to_string());
            if let Some(after) = rejected.retry_after() {
                let millis = after.as_nanos().div_ceil(1_000_000);
                // Digits always parse.
                if let Ok(millis) = millis.to_string().parse() {
                    status.metadata_mut().insert("grpc-retry-pushback-ms", millis);
                }
            }
            status.set_source(Arc::new(rejected));
            status
        }
    }
}
