// Type errors, which the compiler reports after the expansion.

use resilience::{
    bulkhead, circuit_breaker, coalesce, fallback, idempotent, rate_limit, retry, timeout,
};

mod circuit_breaker_error_argument {
    use resilience::circuit_breaker;

    fn refuse(name: &str) {
        let _ = name;
    }

    #[circuit_breaker(error = refuse)]
    //~ rustc: error[E0631] at `refuse`: type mismatch in function arguments
    //~ rustc: label: expected due to this
    //~ rustc: label: found signature defined here
    //~ rustc: note: expected function signature `fn(resilience::Rejected) -> _` found function signature `fn(&str) -> _`
    //~ rustc: help: consider wrapping the function in a closure
    fn call() -> Result<(), ()> {
        Err(())
    }
}

mod timeout_error_argument {
    use resilience::timeout;

    fn refuse(name: &str) {
        let _ = name;
    }

    #[timeout("5s", error = refuse)]
    //~ rustc: error[E0631] at `refuse`: type mismatch in function arguments
    //~ rustc: label: expected due to this
    //~ rustc: label: found signature defined here
    //~ rustc: note: expected function signature `fn(resilience::Rejected) -> _` found function signature `fn(&str) -> _`
    //~ rustc: help: consider wrapping the function in a closure
    async fn call() -> Result<(), ()> {
        Err(())
    }
}

#[bulkhead(max = 10, error = |rejected| rejected.to_string())]
//~ rustc: error[E0308] at `rejected.to_string()`: mismatched types
//~ rustc: label: expected `()`, found `String`
//~ rustc: help: consider using a semicolon here
fn bulkhead_error_of_wrong_type() -> Result<(), ()> {
    Err(())
}

#[circuit_breaker(error = |rejected| rejected.to_string())]
//~ rustc: error[E0308] at `rejected.to_string()`: mismatched types
//~ rustc: label: expected `()`, found `String`
//~ rustc: help: consider using a semicolon here
fn circuit_breaker_error_of_wrong_type() -> Result<(), ()> {
    Err(())
}

#[rate_limit(rate = 10, error = |rejected| rejected.to_string())]
//~ rustc: error[E0308] at `rejected.to_string()`: mismatched types
//~ rustc: label: expected `()`, found `String`
//~ rustc: help: consider using a semicolon here
fn rate_limit_error_of_wrong_type() -> Result<(), ()> {
    Err(())
}

#[timeout("5s", error = |rejected| rejected.to_string())]
//~ rustc: error[E0308] at `rejected.to_string()`: mismatched types
//~ rustc: label: expected `()`, found `String`
//~ rustc: help: consider using a semicolon here
async fn timeout_error_of_wrong_type() -> Result<(), ()> {
    Err(())
}

// An error type of the same crate.
mod bulkhead_missing_conversion {
    use resilience::bulkhead;

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[bulkhead(max = 10)]
    async fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `bulkhead_missing_conversion::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `bulkhead_missing_conversion::ApiError`
    //~ note: if `bulkhead_missing_conversion::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for bulkhead_missing_conversion::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `bulkhead_missing_conversion::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<bulkhead_missing_conversion::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `bulkhead_missing_conversion::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

mod circuit_breaker_missing_conversion {
    use resilience::circuit_breaker;

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[circuit_breaker]
    fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `circuit_breaker_missing_conversion::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `circuit_breaker_missing_conversion::ApiError`
    //~ note: if `circuit_breaker_missing_conversion::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for circuit_breaker_missing_conversion::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `circuit_breaker_missing_conversion::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<circuit_breaker_missing_conversion::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `circuit_breaker_missing_conversion::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

mod idempotent_missing_conversion {
    use resilience::idempotent;

    #[allow(dead_code)]
    #[derive(Debug)]
    enum ApiError {
        Down,
    }

    #[idempotent(key = id, scope = "global")]
    fn call(id: &str) -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `idempotent_missing_conversion::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `idempotent_missing_conversion::ApiError`
    //~ note: if `idempotent_missing_conversion::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for idempotent_missing_conversion::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `idempotent_missing_conversion::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<idempotent_missing_conversion::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `idempotent_missing_conversion::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Ok(drop(id))
    }
}

mod rate_limit_missing_conversion {
    use resilience::rate_limit;

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[rate_limit(rate = 10)]
    fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `rate_limit_missing_conversion::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `rate_limit_missing_conversion::ApiError`
    //~ note: if `rate_limit_missing_conversion::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for rate_limit_missing_conversion::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `rate_limit_missing_conversion::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<rate_limit_missing_conversion::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `rate_limit_missing_conversion::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

mod timeout_missing_conversion {
    use resilience::timeout;

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[timeout("5s")]
    async fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `timeout_missing_conversion::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `timeout_missing_conversion::ApiError`
    //~ note: if `timeout_missing_conversion::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for timeout_missing_conversion::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `timeout_missing_conversion::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<timeout_missing_conversion::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `timeout_missing_conversion::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

// An error type of another crate.
#[bulkhead(max = 10)]
async fn bulkhead_missing_conversion_foreign() -> Result<(), String> {
//~ error at `Result<(), String>`: `String` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `String`
//~ note: if `String` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for String { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `String` is the error of another crate, return `Result<_, resilience::Guarded<String>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `String` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Err(String::new())
}

#[circuit_breaker]
fn circuit_breaker_missing_conversion_foreign() -> Result<(), String> {
//~ error at `Result<(), String>`: `String` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `String`
//~ note: if `String` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for String { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `String` is the error of another crate, return `Result<_, resilience::Guarded<String>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `String` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Err(String::new())
}

#[rate_limit(rate = 10)]
fn rate_limit_missing_conversion_foreign() -> Result<(), String> {
//~ error at `Result<(), String>`: `String` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `String`
//~ note: if `String` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for String { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `String` is the error of another crate, return `Result<_, resilience::Guarded<String>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `String` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Err(String::new())
}

#[timeout("5s")]
async fn timeout_missing_conversion_foreign() -> Result<(), String> {
//~ error at `Result<(), String>`: `String` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `String`
//~ note: if `String` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for String { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `String` is the error of another crate, return `Result<_, resilience::Guarded<String>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `String` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Err(String::new())
}

// Two attributes need the same conversion: one error.
mod circuit_breaker_missing_conversion_twice {
    use resilience::{bulkhead, circuit_breaker, retry};

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[retry]
    #[circuit_breaker]
    #[bulkhead(max = 10)]
    async fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `circuit_breaker_missing_conversion_twice::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `circuit_breaker_missing_conversion_twice::ApiError`
    //~ note: if `circuit_breaker_missing_conversion_twice::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for circuit_breaker_missing_conversion_twice::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `circuit_breaker_missing_conversion_twice::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<circuit_breaker_missing_conversion_twice::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `circuit_breaker_missing_conversion_twice::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

mod timeout_missing_conversion_twice {
    use resilience::{rate_limit, timeout};

    #[derive(Debug)]
    enum ApiError {
        NotFound,
    }

    #[rate_limit(rate = 10)]
    #[timeout("5s")]
    async fn call() -> Result<(), ApiError> {
    //~ error at `Result<(), ApiError>`: `timeout_missing_conversion_twice::ApiError` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
    //~ label: needs `From<resilience::Rejected>`
    //~ rustc: help: the trait `FromRejected` is not implemented for `timeout_missing_conversion_twice::ApiError`
    //~ note: if `timeout_missing_conversion_twice::ApiError` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for timeout_missing_conversion_twice::ApiError { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
    //~ note: if `timeout_missing_conversion_twice::ApiError` is the error of another crate, return `Result<_, resilience::Guarded<timeout_missing_conversion_twice::ApiError>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
    //~ note: if `timeout_missing_conversion_twice::ApiError` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
        Err(ApiError::NotFound)
    }
}

#[bulkhead(max = 10)]
fn bulkhead_no_return_type() {}
//~ error at `bulkhead_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

#[circuit_breaker]
fn circuit_breaker_no_return_type() {}
//~ error at `circuit_breaker_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

#[fallback(value = ())]
//~ error at `()`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
fn fallback_no_return_type() {}
//~ error at `fallback_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

#[idempotent(key = id, scope = "global")]
fn idempotent_no_return_type(id: &str) {
//~ error at `idempotent_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    drop(id);
}

#[rate_limit(rate = 10)]
fn rate_limit_no_return_type() {}
//~ error at `rate_limit_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

#[retry]
async fn retry_no_return_type() {
//~ error at `retry_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    
}

#[timeout("5s")]
async fn timeout_no_return_type() {}
//~ error at `timeout_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

// The policy is a field of `self`, and the function borrows `self` exclusively.
mod bulkhead_owned_in_exclusive {
    use resilience::{Bulkhead, bulkhead};

    struct Client {
        bulkhead: Bulkhead,
        sent: u32,
    }

    impl Client {
        #[bulkhead(bulkhead = self.bulkhead)]
        //~ error at `self`: the call cannot hold `resilience::Bulkhead` while the function changes the value that contains it
        //~ label: not a cloneable handle
        //~ rustc: help: the trait `resilience::__private::Handle<resilience::Bulkhead>` is not implemented for `resilience::Bulkhead`
        //~ note: store an `Arc` of the policy, so that the call can hold a clone, or take `&self`
        fn call(&mut self) -> Result<(), ()> {
            self.sent += 1;
            Err(())
        }
    }
}

mod circuit_breaker_owned_in_exclusive {
    use resilience::{CircuitBreaker, circuit_breaker};

    struct Client {
        breaker: CircuitBreaker,
        sent: u32,
    }

    impl Client {
        #[circuit_breaker(breaker = self.breaker)]
        //~ error at `self`: the call cannot hold `resilience::CircuitBreaker` while the function changes the value that contains it
        //~ label: not a cloneable handle
        //~ rustc: help: the trait `resilience::__private::Handle<resilience::CircuitBreaker>` is not implemented for `resilience::CircuitBreaker`
        //~ note: store an `Arc` of the policy, so that the call can hold a clone, or take `&self`
        fn call(&mut self) -> Result<(), ()> {
            self.sent += 1;
            Err(())
        }
    }
}

mod rate_limit_owned_in_exclusive {
    use std::time::Duration;

    use resilience::{RateLimiter, rate_limit};

    struct Client {
        limiter: RateLimiter,
        sent: u32,
    }

    impl Client {
        #[rate_limit(limiter = self.limiter)]
        //~ error at `self`: the call cannot hold `RateLimiter` while the function changes the value that contains it
        //~ label: not a cloneable handle
        //~ rustc: help: the trait `resilience::__private::Handle<RateLimiter>` is not implemented for `RateLimiter`
        //~ note: store an `Arc` of the policy, so that the call can hold a clone, or take `&self`
        fn call(&mut self) -> Result<(), ()> {
            self.sent += 1;
            Err(())
        }
    }
}

// A return type without failures: one error, in the words of the library.
#[bulkhead(max = 10)]
fn bulkhead_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[circuit_breaker]
fn circuit_breaker_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[fallback(value = ())]
//~ error at `()`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
fn fallback_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[idempotent(key = id, scope = "global")]
fn idempotent_wrong_return_type(id: &str) -> usize {
//~ error at `usize`: a resilience attribute needs a fallible return type, but this function returns `usize`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `usize`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `usize`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    id.len()
}

#[rate_limit(rate = 10)]
fn rate_limit_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[retry]
fn retry_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[timeout("5s")]
async fn timeout_wrong_return_type() -> u32 {
//~ error at `u32`: a resilience attribute needs a fallible return type, but this function returns `u32`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `u32`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `u32`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    7
}

#[idempotent(key = id, scope = "global")]
async fn idempotent_wrong_return_type_async(id: &str) -> usize {
//~ error at `usize`: a resilience attribute needs a fallible return type, but this function returns `usize`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `usize`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `usize`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`
    id.len()
}

#[coalesce(key = 7, error = |rejected| rejected.to_string())]
//~ rustc: error[E0308] at `rejected.to_string()`: mismatched types
//~ rustc: label: expected `()`, found `String`
//~ rustc: help: consider using a semicolon here
fn coalesce_error_of_wrong_type() -> Result<(), ()> {
    Err(())
}

#[coalesce(key = 7)]
fn coalesce_missing_conversion_foreign() -> Result<(), String> {
//~ error at `Result<(), String>`: `String` cannot represent a rejected call: circuit open, bulkhead full, rate limit reached, timed out
//~ label: needs `From<resilience::Rejected>`
//~ rustc: help: the trait `FromRejected` is not implemented for `String`
//~ note: if `String` is your own type, add a variant `Rejected(resilience::Rejected)` and `impl From<resilience::Rejected> for String { fn from(rejected: resilience::Rejected) -> Self { Self::Rejected(rejected) } }`, or `#[from]` on the variant under `thiserror`
//~ note: if `String` is the error of another crate, return `Result<_, resilience::Guarded<String>>`: `?` in the body converts the error, and a last expression without `?` becomes `Ok(expression?)`
//~ note: if `String` can be made from a text or another error, convert in the attribute: `error = |rejected| …`, for example `error = |rejected| rejected.to_string()` for a `String`, or `error = |rejected| Arc::new(rejected.into())` for an `Arc`
    Err(String::new())
}

#[coalesce(key = 7)]
fn coalesce_no_return_type() {}
//~ error at `coalesce_no_return_type`: a resilience attribute needs a fallible return type, but this function returns `()`
//~ label: not a `Result` or an `Option`
//~ rustc: help: the trait `resilience::Outcome` is not implemented for `()`
//~ note: return `Result<T, E>` or `Option<T>`, or implement `resilience::Outcome` for `()`
//~ note: a handler of `axum` returns `Response` or `impl IntoResponse`, with the feature `axum` of `resilience-rs`

mod hedge_moves_an_argument {
    use resilience::hedge;

    #[hedge(after = "50ms", idempotent)]
    //~ rustc: error[E0507] at `#[hedge(after = "50ms", idempotent)]`: cannot move out of value, a captured variable in an `Fn` closure
    //~ rustc: label: captured outer variable
    //~ rustc: label: captured by this `Fn` closure
    //~ rustc: label: variable moved due to use in coroutine
    //~ rustc: label: move occurs because value has type `String`, which does not implement the `Copy` trait
    //~ rustc: label: value is moved here
    //~ rustc: help: `Fn` and `FnMut` closures require captured values to be able to be consumed multiple times, but `FnOnce` closures may consume them only once
    //~ rustc: help: consider cloning the value if the performance cost is acceptable
    async fn call(text: String) -> Result<String, ()> {
        Ok(text)
    }
}
