//! Resilience for the functions you already have, by attribute: retries, circuit breakers, timeouts,
//! fallbacks, bulkheads, rate limits and idempotency.
//!
//! ```
//! use resilience::retry;
//!
//! #[retry(attempts = 4, base_delay = "50ms", deadline = "30s", on = is_transient)]
//! async fn get_profile(id: &str) -> Result<Profile, ApiError> {
//!     // … the body you have
//! #   Ok(Profile(id.len()))
//! }
//! # struct Profile(usize);
//! # struct ApiError(u16);
//! fn is_transient(error: &ApiError) -> bool {
//!     error.0 >= 500
//! }
//! ```
//!
//! The signature, the body and the error type stay as they are. Every mistake in the configuration
//! is a compile error at the token that is wrong. The attributes expand in place, `#[retry]` into a
//! plain loop, so that `&mut self`, borrowed and owned arguments, generics, `impl Trait` and traits
//! work, the future stays `Send`, and the happy path allocates nothing.
//!
//! # Attributes
//!
//! | attribute | what it does |
//! |---|---|
//! | [`#[retry]`](macro@retry) | calls the function again while it fails |
//! | [`#[circuit_breaker]`](macro@circuit_breaker) | stops calling what keeps failing, then tries with care |
//! | [`#[timeout]`](macro@timeout) | gives an async function a time to run |
//! | [`#[fallback]`](macro@fallback) | puts something in the place of a failure |
//! | [`#[bulkhead]`](macro@bulkhead) | lets a limited number of calls run at once |
//! | [`#[rate_limit]`](macro@rate_limit) | lets calls start at a steady rate |
//! | `#[idempotent]` (feature `idempotent`) | runs the body once for each key, and returns its outcome again |
//!
//! Several on one function are layers, of which the top one is outermost; what they mean together stands
//! in [`ordering`]. A call that one of them turns away is a [`Rejected`], for which the error of the
//! function needs one line, `From<Rejected>`. Who knows the decorators of Python finds them in
//! [`from_python`].
//!
//! What an attribute does can be done by hand with the same types: [`RetryPolicy`], [`CircuitBreaker`],
//! [`Bulkhead`], [`RateLimiter`].
//!
//! # Errors that know what they mean
//!
//! A failure is placed on two axes: whether it may pass ([`FailureKind`]), and whether the effect could have
//! happened ([`Effect`]). Together with a time that a server asked for they make a [`FailureClass`]. A
//! predicate says it for one function; [`Classify`](trait@Classify) on the error, which can be derived,
//! says it for all.
//!
//! # Time
//!
//! Async code waits with tokio's timer under a tokio runtime, and with a neutral timer anywhere else.
//! [`testing`] has a virtual clock, seeded draws and a way to skip waits. [`set_enabled`] turns
//! everything but `#[idempotent]` off.
//!
//! # Features
//!
//! - **`tokio`** (default): under a tokio runtime, waits use its timer and `now` is its clock, so that
//!   `start_paused` tests take no time. Without the feature every async wait uses the neutral timer.
//! - **`tracing`**: events, target `resilience`: a scheduled retry and a breaker's change at WARN, a
//!   give-up at ERROR, a fallback at INFO, a call that was turned away at DEBUG.
//! - **`idempotent`**: `#[idempotent]` and the module `idempotent`: stores, keys, and what the attribute does, by hand.
//! - **`http`**: the module `http`: what answers and errors of HTTP mean, `Retry-After`, idempotency
//!   keys, and a gate for hosts that ask for less. **`reqwest`**, **`reqwest-blocking`**, **`hyper`**,
//!   **`hyper-util`**, **`http2`** and **`tonic`** add what these clients return.
//!   **`tower`** adds layers, for a `Service` instead of a function; with **`idempotent`** there is one for
//!   endpoints that are safe to retry.
//! - **`sqlx`** and **`redis`**: the module `stores`: what errors of databases and caches mean. With
//!   **`postgres`**, **`sqlite`** and **`mysql`** for the drivers of `sqlx`.
//! - **`circuit_breaker`**: with `redis` or `postgres`, breakers that processes share.
//! - **`axum`**: a [`Rejected`] is a response. **`tonic`**: it becomes a `tonic::Status`.

// Generated code names `::resilience`, also in the examples of this crate's own documentation.
extern crate self as resilience;

/// The interface for generated code. Not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use resilience_core::__private::*;
    #[cfg(feature = "idempotent")]
    pub use resilience_idempotency::{__private as idempotent, IdempotencyPolicy};
}

pub use resilience_core::{
    Attempt, Backoff, Bulkhead, BulkheadAcquire, BulkheadPermit, CircuitBreaker, CircuitCall,
    CircuitGuard, CircuitSnapshot, CircuitState, Classify, DelaySource, Effect, FailureClass,
    FailureKind, FromRejected, GiveUpEvent, IdempotencyRejection, InvalidPolicy, Jitter, OnCancel,
    Outcome, RateLimitAcquire, RateLimiter, Rejected, RejectedKind, Reservation, Retry,
    RetryBudget, RetryEvent, RetryPolicy, Schedule, StateChange, StopReason, circuit_breaker,
    is_enabled, set_enabled, testing,
};
#[cfg(feature = "idempotent")]
pub use resilience_idempotency::{self as idempotent, store_conformance};

#[doc = include_str!("../docs/classify.md")]
pub use resilience_macros::Classify;
#[doc = include_str!("../docs/bulkhead.md")]
pub use resilience_macros::bulkhead;
#[doc = include_str!("../docs/circuit_breaker.md")]
pub use resilience_macros::circuit_breaker;
#[doc = include_str!("../docs/fallback.md")]
pub use resilience_macros::fallback;
#[cfg(feature = "idempotent")]
#[doc = include_str!("../docs/idempotent.md")]
pub use resilience_macros::idempotent;
#[doc = include_str!("../docs/rate_limit.md")]
pub use resilience_macros::rate_limit;
#[doc = include_str!("../docs/retry.md")]
pub use resilience_macros::retry;
#[doc = include_str!("../docs/timeout.md")]
pub use resilience_macros::timeout;

#[doc = include_str!("../docs/from-python.md")]
pub mod from_python {}

#[doc = include_str!("../docs/ordering.md")]
pub mod ordering {}

#[cfg(feature = "http")]
#[doc = include_str!("../docs/http.md")]
pub mod http {
    pub use resilience_http::*;
}

#[cfg(feature = "stores")]
// Its examples need the databases' crates, and are run by `resilience-stores`.
#[cfg_attr(not(doctest), doc = include_str!("../docs/stores.md"))]
pub mod stores {
    pub use resilience_stores::*;
}

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
