// The error of another crate: no variant can be added.

use resilience::{bulkhead, circuit_breaker, rate_limit, retry, timeout};

#[circuit_breaker]
async fn broken() -> http::Result<u32> {
//~ error at `http::Result<u32>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(7)
}

#[timeout("1s")]
async fn timed() -> Result<u32, http::Error> {
//~ error at `Result<u32, http::Error>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(7)
}

#[rate_limit(rate = 1, wait = "5s")]
fn limited() -> http::Result<u32> {
//~ error at `http::Result<u32>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(7)
}

#[retry(deadline = "10s")]
#[rate_limit(rate = 1, wait = "unlimited")]
fn unlimited_wait_under_a_deadline() -> http::Result<u32> {
//~ error at `http::Result<u32>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(7)
}

#[bulkhead(max = 1, wait = "unlimited", queue = 5)]
fn unlimited_wait_in_a_short_queue() -> http::Result<u32> {
//~ error at `http::Result<u32>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(7)
}

#[rate_limit(rate = 1, wait = "unlimited", key = id, settings = |limiter| limiter)]
fn unlimited_wait_with_settings(id: u32) -> http::Result<u32> {
//~ error at `http::Result<u32>`: `http::Error` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `http::Error`
//~ note: if `http::Error` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for http::Error { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `http::Error` is the error of another crate, return `Result<_, resilience::Guarded<http::Error>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `http::Error` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Ok(id)
}

fn main() {}
