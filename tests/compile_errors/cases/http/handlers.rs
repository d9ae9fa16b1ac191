//! Handlers whose types are no responses. `tests/handlers.rs` has the handlers of `axum`.

use http::{Response, StatusCode};
use resilience::{circuit_breaker, rate_limit};

/// As in `axum`.
pub struct Json<T>(pub T);

#[rate_limit(rate = 1, per = "1s")]
pub async fn response() -> Response<String> {
//~ error at `Response`: a resilience attribute needs a fallible return type, but this function returns `Response<String>`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `Response<String>`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `Response<String>`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    Response::new(String::new())
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
