//! Retries, circuit breakers, timeouts, fallbacks, bulkheads, rate limits and idempotency for
//! existing functions, by attribute.
//!
//! ```
//! use resilience::retry;
//!
//! struct ApiError(u16);
//!
//! fn is_transient(error: &ApiError) -> bool {
//!     error.0 >= 500
//! }
//!
//! #[retry(attempts = 4, base_delay = "50ms", deadline = "30s", on = is_transient)]
//! async fn get_profile(id: &str) -> Result<String, ApiError> {
//!     if id.is_empty() { Err(ApiError(404)) } else { Ok(format!("profile of {id}")) }
//! }
//! ```
//!
//! The signature, the body and the error type stay unchanged. Every mistake in the
//! configuration is a compile error at the wrong token. The attributes expand in place:
//! `#[retry]` expands to a plain loop. Functions with `&mut self`, borrowed and owned
//! arguments, generics and `impl Trait` work, as do functions in traits. The future stays
//! `Send`, and the happy path allocates nothing.
//!
//! # Attributes
//!
//! | attribute | purpose |
//! |---|---|
//! | [`#[retry]`](macro@retry) | repeats a failed call, with backoff, jitter and a deadline |
//! | [`#[circuit_breaker]`](macro@circuit_breaker) | rejects calls while a dependency is down |
//! | [`#[timeout]`](macro@timeout) | drops the body of an async function at a time limit |
//! | [`#[fallback]`](macro@fallback) | replaces a failure with another value |
//! | [`#[bulkhead]`](macro@bulkhead) | limits concurrent calls, with a queue |
//! | [`#[rate_limit]`](macro@rate_limit) | limits calls per period, with bursts |
//! | `#[idempotent]` (feature `idempotent`) | executes the body once per key |
//!
//! Several attributes on one function are layers. The top attribute is the outermost layer;
//! [`ordering`] describes every pair. A layer rejects a call with a [`Rejected`], so the error
//! type of the function needs `From<Rejected>`. [`from_python`] lists the attributes beside
//! decorators of Python.
//!
//! Each policy also runs without an attribute: [`RetryPolicy`], [`CircuitBreaker`],
//! [`Bulkhead`] and [`RateLimiter`] have `run` and `run_async`.
//!
//! # Classification of errors
//!
//! A [`FailureClass`] has two axes: whether a failure is transient ([`FailureKind`]), and
//! whether the side effect was applied ([`Effect`]). A class can also hold the delay that a
//! server asked for. A predicate (`on = …`) classifies the errors of one function.
//! [`Classify`](trait@Classify), implemented or derived for the error type, serves every
//! function.
//!
//! # Time and testing
//!
//! Under a tokio runtime, async code waits with the timer of tokio. Anywhere else, async code
//! waits with a runtime-neutral timer. [`testing`] has a virtual clock, seeded random draws,
//! and a guard that skips waits. [`set_enabled`] disables every attribute except
//! `#[idempotent]`.
//!
//! # Features
//!
//! - **`tokio`** (default): under a tokio runtime, waits use the timer and the clock of tokio,
//!   so that `start_paused` tests take no time. Without the feature, every async wait uses the
//!   neutral timer.
//! - **`tracing`**: events with the target `resilience`; see [`observability`]. A scheduled retry
//!   and a state change of a breaker are logged at WARN, a give-up at ERROR, a fallback at INFO,
//!   a rejected call at DEBUG.
//! - **`metrics`**: counters of `#[idempotent]`.
//! - **`idempotent`**: `#[idempotent]`, and the module `idempotent` with keys, stores and
//!   policies.
//! - **`http`**: the module `http` classifies responses and errors, reads `Retry-After`, creates
//!   idempotency keys, and delays requests to hosts that ask for a pause.
//! - **`reqwest`**, **`reqwest-blocking`**, **`hyper`**, **`hyper-util`**, **`http2`**,
//!   **`tonic`**: the module `http` knows the errors and responses of these clients.
//! - **`tower`**: layers for a `Service`. With `idempotent`, a layer for endpoints that are
//!   safe to retry.
//! - **`axum`**: a [`Rejected`] is a response. With **`tonic`**, a [`Rejected`] converts to
//!   `tonic::Status`.
//! - **`sqlx`**, **`postgres`**, **`sqlite`**, **`mysql`**, **`redis`**: the module `stores`
//!   classifies errors of databases. With `idempotent`, `postgres`, `sqlite` and `redis` add
//!   stores for records.
//! - **`shared-breakers`**: with `redis` or `postgres`, circuit breakers that processes share.

#![cfg_attr(docsrs, feature(doc_cfg))]
// `links.txt` defines links to items of every feature.
#![cfg_attr(
    not(all(
        feature = "http",
        feature = "idempotent",
        feature = "postgres",
        feature = "redis",
        feature = "shared-breakers",
        feature = "sqlite",
        feature = "tower",
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "items of disabled features do not exist")
)]

// Generated code uses the path `::resilience`, also in the examples of this crate.
extern crate self as resilience;

/// Items for generated code, not covered by semantic versioning.
#[doc(hidden)]
pub mod __private {
    pub use resilience_core::__private::*;
    #[cfg(feature = "idempotent")]
    pub use resilience_idempotency::{__private as idempotent, IdempotencyPolicy};
}

// The files in `docs/` use reference links, and the first definition of a label wins:
// `links.txt` leads rustdoc to items, `pictures.txt` embeds diagrams. `tests/doc_links.rs`
// derives the definitions at the foot of each page, for GitHub.

pub use resilience_core::{
    Attempt, Backoff, Bulkhead, BulkheadAcquire, BulkheadPermit, ChangeReason, CircuitBreaker,
    CircuitCall, CircuitGuard, CircuitSnapshot, CircuitState, Classify, DelaySource, Effect,
    FailureClass, FailureKind, FromRejected, GiveUpEvent, IdempotencyRejection, InvalidPolicy,
    Jitter, KeyTableSnapshot, OnCancel, Outcome, OwnedBulkheadPermit, OwnedRateLimitPermit,
    RateLimitAcquire, RateLimiter, Rejected, RejectedKind, Reservation, Retry, RetryBudget,
    RetryEvent, RetryPolicy, Schedule, StateChange, StopReason, circuit_breaker, is_enabled,
    key_tables, set_enabled, testing,
};
#[cfg(feature = "idempotent")]
#[doc(inline)]
pub use resilience_idempotency::{self as idempotent, store_conformance};

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/classify.md")]
pub use resilience_macros::Classify;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/bulkhead.md")]
pub use resilience_macros::bulkhead;
#[doc = include_str!("links.txt")]
#[doc = include_str!("pictures.txt")]
#[doc = include_str!("../docs/circuit_breaker.md")]
pub use resilience_macros::circuit_breaker;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/fallback.md")]
pub use resilience_macros::fallback;
#[cfg(feature = "idempotent")]
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/idempotent.md")]
pub use resilience_macros::idempotent;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/rate_limit.md")]
pub use resilience_macros::rate_limit;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/retry.md")]
pub use resilience_macros::retry;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/timeout.md")]
pub use resilience_macros::timeout;

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/from-python.md")]
pub mod from_python {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("pictures.txt")]
#[doc = include_str!("../docs/ordering.md")]
pub mod ordering {}

#[cfg(feature = "http")]
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/http.md")]
pub mod http {
    pub use resilience_http::*;
}

#[cfg(feature = "stores")]
// `resilience-stores` tests the examples of this page, because the examples need database crates.
#[doc = include_str!("links.txt")]
#[cfg_attr(not(doctest), doc = include_str!("../docs/stores.md"))]
pub mod stores {
    pub use resilience_stores::*;
}

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the guide for coding agents, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../AGENTS.md")]
struct Agents;

/// The example of the index for language models, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../llms.txt")]
struct Llms;
