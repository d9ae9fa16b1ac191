//! Responses of `axum` as outcomes, for handlers that return `Response` or `impl IntoResponse`.

use core::time::Duration;

use axum_core::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;

use crate::classify::{Classify, Effect, FailureClass, FailureKind};
use crate::outcome::Outcome;
use crate::rejected::Rejected;
use crate::status_class::class_of_status;

/// A response is a failure if the status is retryable by the table of HTTP, such as a 503, a 500 or
/// a 429, or if the response was made of a [`Rejected`]. Any other response, such as a 404, is a
/// success.
///
/// ```
/// use axum::http::StatusCode;
/// use axum::response::{IntoResponse, Response};
/// use resilience::{CircuitBreaker, CircuitState, circuit_breaker};
///
/// static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
///
/// #[circuit_breaker(breaker = &BREAKER)]
/// async fn profile(status: StatusCode) -> Response {
///     status.into_response()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(profile(StatusCode::NOT_FOUND).await.status(), 404);
/// assert_eq!(BREAKER.state(), CircuitState::Closed);
/// profile(StatusCode::INTERNAL_SERVER_ERROR).await;
/// assert_eq!(BREAKER.state(), CircuitState::Open);
/// assert_eq!(profile(StatusCode::OK).await.status(), 503); // rejected
/// # }
/// ```
impl Outcome for Response {
    type Ok = Self;
    type Err = Self;

    fn as_result(&self) -> Result<&Self, &Self> {
        if is_failure(self) { Err(self) } else { Ok(self) }
    }

    fn into_result(self) -> Result<Self, Self> {
        if is_failure(&self) { Err(self) } else { Ok(self) }
    }

    fn from_result(result: Result<Self, Self>) -> Self {
        result.unwrap_or_else(|failure| failure)
    }
}

/// The class of the status. A response made of a [`Rejected`] has the class of the rejection. An
/// [`Effect`] in the extensions replaces the effect of the status. `Retry-After` counts in whole
/// seconds; `on = classify_response` of `resilience::http` reads every form.
impl Classify for Response {
    fn classify(&self) -> FailureClass {
        if let Some(rejected) = self.extensions().get::<Rejected>() {
            return rejected.classify();
        }
        let code = self.status().as_u16();
        let mut class = class_of_status(code);
        if let Some(effect) = self.extensions().get::<Effect>() {
            class = class.effect(*effect);
        }
        match retry_after(self) {
            Some(after) if class.kind != FailureKind::Permanent => {
                let kind = if code == 503 { FailureKind::Throttled } else { class.kind };
                FailureClass { kind, ..class }.after(after)
            }
            _ => class,
        }
    }
}

/// The response of a rejected call; see the `IntoResponse` implementation of [`Rejected`].
impl From<Rejected> for Response {
    fn from(rejected: Rejected) -> Self {
        rejected.into_response()
    }
}

/// The outcome of a handler that returns `impl IntoResponse`.
pub type HandlerResponse = Response;

/// Converts the result of the body of a handler that returns `impl IntoResponse`.
pub fn handler_response(out: impl IntoResponse) -> Response {
    out.into_response()
}

fn is_failure(response: &Response) -> bool {
    class_of_status(response.status().as_u16()).kind != FailureKind::Permanent
        || response.extensions().get::<Rejected>().is_some()
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_number).map(Duration::from_secs)
}
