//! A rejected call as an answer of this process: of `axum`, of `tonic`.

#[cfg(feature = "axum")]
mod axum {
    use core::time::Duration;

    use axum_core::response::{IntoResponse, Response};
    use http::{HeaderName, HeaderValue, StatusCode, header};

    use crate::random::draw;
    use crate::rejected::{IdempotencyRejection, Rejected, RejectedKind};

    /// What the one who asked is told: 503 for an open circuit, a full bulkhead and a store that does not
    /// answer, 429 for a rate limit, 504 for a timeout, 400 for an idempotency key that is missing or
    /// invalid, 422 for one that was used for something else, 409 for one that is in use or whose outcome
    /// cannot be returned, with a short JSON body such as `{"error":"circuit open","retry_after":3}`.
    ///
    /// Every 429 and 503, and a 409 for a call that is running, says when to come back, in `Retry-After`: in
    /// whole seconds rounded up, at least one, and up to a tenth or 5 s more, so that those who were turned
    /// away together do not come back together. The name of the function is not told.
    impl IntoResponse for Rejected {
        fn into_response(self) -> Response {
            let status = match self.kind() {
                RejectedKind::CircuitOpen
                | RejectedKind::BulkheadFull
                | RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                RejectedKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                RejectedKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                RejectedKind::Idempotency(IdempotencyRejection::MissingKey)
                | RejectedKind::Idempotency(IdempotencyRejection::InvalidKey) => {
                    StatusCode::BAD_REQUEST
                }
                RejectedKind::Idempotency(IdempotencyRejection::KeyReused) => {
                    StatusCode::UNPROCESSABLE_ENTITY
                }
                RejectedKind::Idempotency(IdempotencyRejection::InFlight)
                | RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)
                | RejectedKind::Idempotency(IdempotencyRejection::LeaseLost)
                | RejectedKind::Idempotency(IdempotencyRejection::NotStored) => {
                    StatusCode::CONFLICT
                }
                RejectedKind::Idempotency(IdempotencyRejection::Undecodable) => {
                    StatusCode::INTERNAL_SERVER_ERROR
                }
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
        // In whole seconds, as everything here: below ten of them, that is nothing.
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

    /// `UNAVAILABLE` for an open circuit and a full bulkhead, `RESOURCE_EXHAUSTED` for a rate limit,
    /// `DEADLINE_EXCEEDED` for a timeout, `INVALID_ARGUMENT`, `FAILED_PRECONDITION`, `ABORTED` and
    /// `INTERNAL` for what an idempotency key can come to, with the rejection as its source. When to come back stands in
    /// `grpc-retry-pushback-ms`.
    impl From<Rejected> for Status {
        fn from(rejected: Rejected) -> Self {
            let code = match rejected.kind() {
                RejectedKind::CircuitOpen
                | RejectedKind::BulkheadFull
                | RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable) => {
                    Code::Unavailable
                }
                RejectedKind::RateLimited => Code::ResourceExhausted,
                RejectedKind::TimedOut => Code::DeadlineExceeded,
                RejectedKind::Idempotency(IdempotencyRejection::MissingKey)
                | RejectedKind::Idempotency(IdempotencyRejection::InvalidKey) => {
                    Code::InvalidArgument
                }
                RejectedKind::Idempotency(IdempotencyRejection::KeyReused) => {
                    Code::FailedPrecondition
                }
                RejectedKind::Idempotency(IdempotencyRejection::InFlight)
                | RejectedKind::Idempotency(IdempotencyRejection::LeaseLost) => Code::Aborted,
                RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)
                | RejectedKind::Idempotency(IdempotencyRejection::NotStored)
                | RejectedKind::Idempotency(IdempotencyRejection::Undecodable) => Code::Internal,
            };
            let mut status = Self::new(code, rejected.kind().to_string());
            if let Some(after) = rejected.retry_after() {
                let millis = after.as_nanos().div_ceil(1_000_000);
                // Digits are always a value.
                if let Ok(millis) = millis.to_string().parse() {
                    status.metadata_mut().insert("grpc-retry-pushback-ms", millis);
                }
            }
            status.set_source(Arc::new(rejected));
            status
        }
    }
}
