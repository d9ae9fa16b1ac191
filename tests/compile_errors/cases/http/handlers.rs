//! Handlers of `axum` without the feature `axum`.

use http::{Response, StatusCode};
use resilience::{bulkhead, circuit_breaker, rate_limit};

/// As in `axum`.
pub trait IntoResponse {}

pub struct Json<T>(pub T);

impl<T> IntoResponse for (StatusCode, Json<T>) {}

#[rate_limit(rate = 1, per = "1s")]
pub async fn response() -> Response<String> {
//~ error at `Response`: a resilience attribute needs a fallible return type, but this function returns `Response<String>`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `Response<String>`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `Response<String>`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    Response::new(String::new())
}

#[bulkhead(max = 4)]
//~ error at `#[bulkhead(max = 4)]`: a resilience attribute needs a fallible return type, but this function returns `(StatusCode, Json<{integer}>)`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `(StatusCode, Json<{integer}>)`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `(StatusCode, Json<{integer}>)`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
pub async fn opaque() -> impl IntoResponse {
    (StatusCode::OK, Json(7))
}

#[circuit_breaker(failure_threshold = 5)]
pub async fn pair() -> (StatusCode, Json<u32>) {
//~ error at `(StatusCode, Json<u32>)`: a resilience attribute needs a fallible return type, but this function returns `(StatusCode, Json<u32>)`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `(StatusCode, Json<u32>)`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `(StatusCode, Json<u32>)`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    (StatusCode::OK, Json(7))
}

fn main() {}
