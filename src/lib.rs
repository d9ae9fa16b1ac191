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
//! The signature and the body stay unchanged. The error type stays unchanged under `#[retry]` and
//! `#[fallback]`; a layer that rejects calls needs an error type that can hold a [`Rejected`], see
//! [`errors`]. A mistake in the configuration is a compile error at the wrong token, as far as
//! types and constants show the mistake. The attributes expand in place:
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
//! | [`#[hedge]`](macro@hedge) | starts a second attempt while the first still runs |
//! | [`#[bulkhead]`](macro@bulkhead) | limits concurrent calls, with a queue |
//! | [`#[coalesce]`](macro@coalesce) | runs concurrent equal calls once |
//! | [`#[rate_limit]`](macro@rate_limit) | limits calls per period, with bursts |
//! | `#[idempotent]` (feature `idempotent`) | executes the body once per key |
//!
//! Several attributes on one function are layers. The top attribute is the outermost layer;
//! [`ordering`] describes every pair. A layer rejects a call with a [`Rejected`], so the error
//! type of the function needs `From<Rejected>`. [`Guarded`] adds the conversion to the error of
//! another crate. [`from_rust`], [`from_python`], [`from_resilience4j`] and [`from_polly`] list the
//! attributes beside the forms of other libraries.
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
//! `#[idempotent]`. [`testing_guide`] explains virtual time, also with databases.
//!
//! # Features
//!
//! [`features`] lists each feature, the versions of the clients, and the cost of dependencies.
//!
//! - **`tokio`** (default): the timer and the clock of tokio, inside a tokio runtime.
//! - **`http`**, and one feature per client (`reqwest`, `hyper`, `tonic`, …): the module `http`.
//!   **`tower`** adds layers, **`axum`** handlers that return a response.
//! - **`sqlx`**, **`postgres`**, **`sqlite`**, **`mysql`**, **`redis`**: the module `stores`.
//!   **`shared-breakers`** and **`shared-rate-limits`** add policies that processes share.
//! - **`idempotent`**: `#[idempotent]`, and the module `idempotent`.
//! - **`tracing`** and **`log`**: log events; **`metrics`**, **`opentelemetry`** and
//!   **`prometheus`**: the module `export`; **`admin`**: the page of the module `admin`; see
//!   [`observability`].
//! - **`settings`**: settings from TOML and JSON files; see [`operations`].
//! - **`duration-histograms`**: durations of calls and of waits, as distributions.
//! - **`figures`**: `#[retry]`, `#[timeout]` and `#[fallback]` count successful calls too.
//! - **`serde`**: snapshots of a circuit breaker can be stored, reports can be serialized.

#![cfg_attr(docsrs, feature(doc_cfg))]
// `links.txt` defines links to items of every feature.
#![cfg_attr(
    not(all(
        feature = "axum",
        feature = "http",
        feature = "idempotent",
        feature = "postgres",
        feature = "redis",
        feature = "settings",
        feature = "shared-breakers",
        feature = "shared-rate-limits",
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
    Action, Attempt, Backoff, Bulkhead, BulkheadAcquire, BulkheadPermit, ChangeReason,
    CircuitBreaker, CircuitCall, CircuitChanges, CircuitGuard, CircuitSnapshot, CircuitState,
    Classify, Coalescer, Control, Controlled, DegradedPolicy, DelaySource, Effect, Explanation,
    FailureClass, FailureKind, FallbackEvent, FallbackReason, Figure, FigureInfo, FigureKind,
    FigureValue, FromRejected, GiveUpEvent, Guarded, Health, HedgeCause, HedgeEvent, HedgePolicy,
    Hedged, Histogram, IdempotencyRejection, InvalidPolicy, Jitter, KeyCircuitBreaker,
    KeyRateLimiter, KeyReport, KeyTableSnapshot, Keyed, KeysReport, Labels, LayerExplanation,
    LoadedSettings, Nested, OnCancel, Outcome, OwnedBulkheadPermit, OwnedRateLimitPermit,
    PendingSetting, PolicyEvent, PolicyHandle, PolicyKind, PolicyReport, RateLimitAcquire,
    RateLimiter, RecoveryEvent, Rejected, RejectedKind, Reservation, Retry, RetryBudget,
    RetryEvent, RetryPolicy, Schedule, Setting, SettingOrigin, SettingsChange, SettingsError,
    SettingsProblem, SourceLocation, StaleAge, StateChange, StopReason, TOP_KEYS, circuit_breaker,
    circuit_changes, circuit_closed, context, control, count_successes, explain, health,
    is_enabled, key_tables, load_environment, load_environment_from, on_event, pending_settings,
    policies, policies_matching, policy_key, register, set_enabled, set_health_threshold,
    settings_history, stale_age, stale_age_async, testing,
};
#[cfg(feature = "settings")]
pub use resilience_core::{load_settings, load_settings_json, load_settings_toml};
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
#[doc = include_str!("../docs/coalesce.md")]
pub use resilience_macros::coalesce;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/fallback.md")]
pub use resilience_macros::fallback;
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/hedge.md")]
pub use resilience_macros::hedge;
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

#[cfg(feature = "admin")]
#[doc(inline)]
pub use resilience_operations::admin;
#[cfg(any(feature = "metrics", feature = "opentelemetry", feature = "prometheus"))]
#[doc(inline)]
pub use resilience_operations::export;

#[cfg(feature = "axum")]
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/axum.md")]
pub mod handlers {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/features.md")]
pub mod features {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/context.md")]
pub mod context_guide {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/from-python.md")]
pub mod from_python {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/migrations.md")]
pub mod migrations {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/from-rust.md")]
pub mod from_rust {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/from-resilience4j.md")]
pub mod from_resilience4j {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/from-polly.md")]
pub mod from_polly {}

#[cfg(all(
    feature = "axum",
    feature = "idempotent",
    feature = "reqwest",
    feature = "sqlite",
    feature = "tower"
))]
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/getting-started.md")]
pub mod getting_started {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/observability.md")]
pub mod observability {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/operations.md")]
pub mod operations {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("pictures.txt")]
#[doc = include_str!("../docs/ordering.md")]
pub mod ordering {}

#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/testing.md")]
pub mod testing_guide {}

#[cfg(feature = "http")]
#[doc = include_str!("links.txt")]
#[doc = include_str!("../docs/http.md")]
pub mod http {
    pub use resilience_http::*;
    // By name, so that rustdoc shows the feature.
    #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
    pub use resilience_http::WithContext;
    #[cfg(feature = "tower")]
    pub use resilience_http::{
        BreakersByHost, BulkheadLayer, BulkheadService, CircuitBreakerLayer, CircuitBreakerService,
        ClientContextLayer, ClientContextService, FallbackLayer, FallbackService, GatedService,
        HostCooldownLayer, HostCooldownService, HttpRequest, OnePolicy, PolicyByRequest,
        RateLimitLayer, RateLimitService, Replay, ReplayByClone, ReplayWith, ResponseFilter,
        RetryLayer, RetryService, ServerContextLayer, ServerContextService, TimeoutLayer,
        TimeoutService,
    };
    #[cfg(feature = "idempotent")]
    pub use resilience_http::{IdempotencyLayer, IdempotencyService, IdempotentBody, StorePolicy};
    #[cfg(feature = "tonic")]
    pub use resilience_http::{context_from, with_context};
}

#[cfg(feature = "stores")]
// `resilience-stores` tests the examples of this page, because the examples need database crates.
#[doc = include_str!("links.txt")]
#[cfg_attr(not(doctest), doc = include_str!("../docs/stores.md"))]
pub mod stores {
    pub use resilience_stores::*;
    // By name, so that rustdoc shows the feature.
    #[cfg(all(feature = "idempotent", feature = "redis"))]
    pub use resilience_stores::RedisStore;
    #[cfg(feature = "shared-breakers")]
    pub use resilience_stores::breaker;
    #[cfg(feature = "shared-rate-limits")]
    pub use resilience_stores::rate_limit;
    #[cfg(any(feature = "redis", feature = "redis-032"))]
    pub use resilience_stores::redis;
    #[cfg(any(feature = "sqlx", feature = "sqlx-08"))]
    pub use resilience_stores::sqlx;
    #[cfg(all(feature = "idempotent", feature = "postgres"))]
    pub use resilience_stores::{PostgresStore, postgres};
    #[cfg(all(feature = "idempotent", feature = "sqlite"))]
    pub use resilience_stores::{SqliteStore, sqlite};
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
