//! Retries, circuit breakers and idempotency for HTTP clients and servers.
//!
//! The crate has three parts:
//!
//! 1. **Classification** maps an error or a response of an HTTP client to a
//!    [`FailureClass`](resilience_core::FailureClass). The class says whether another attempt can
//!    succeed, whether the server applied the request, and how long the server asks to wait. See
//!    [`classify`], [`classify_response`] and [`Classifier`]. Two helpers for functions that send
//!    requests belong to this part: [`IdempotencyKey`] and [`HostCooldown`].
//! 2. **Layers** (feature `tower`) wrap a `tower` service: `RetryLayer`, `CircuitBreakerLayer`,
//!    `HostCooldownLayer`, `TimeoutLayer`, `BulkheadLayer`, `RateLimitLayer` and `FallbackLayer`.
//!    The last four accept any service, not only HTTP. The outer layers recognize the rejections
//!    of the inner layers, so the layers share a module.
//! 3. **Idempotent endpoints** (feature `idempotent`) are the server side of an idempotency key:
//!    `IdempotencyLayer` handles a request once and replays the stored response.
//!
//! Depend on `resilience-rs` with the feature `http`. That crate re-exports this crate as
//! `resilience::http` and contains the guide.

#![cfg_attr(docsrs, feature(doc_cfg))]

// Classification
mod classification;
mod client_key;
mod host_cooldown;
mod key_headers;
mod protocol;
mod request_method;

pub use classification::{
    Classifier, HttpError, HttpResponse, RetryAfter, Vendor, classify, classify_chain,
    classify_response, retry_after,
};
pub use client_key::{IdempotencyKey, is_idempotent};
pub use host_cooldown::HostCooldown;
pub use key_headers::IDEMPOTENCY_KEY;
#[doc(inline)]
pub use resilience_rules::KeyError;

// The context of a call in headers
mod wire;

#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub use wire::WithContext;
pub use wire::{ContextHeaders, DeadlineFormat};
#[cfg(feature = "tonic")]
pub use wire::{context_from, with_context};

// Layers
#[cfg(any(feature = "tower", feature = "idempotent"))]
mod ready_service;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use tower::{
    BreakersByHost, BulkheadLayer, BulkheadService, CircuitBreakerLayer, CircuitBreakerService,
    ClientContextLayer, ClientContextService, FallbackLayer, FallbackService, GatedService,
    HostCooldownLayer, HostCooldownService, HttpRequest, OnePolicy, PolicyByRequest,
    RateLimitLayer, RateLimitService, Replay, ReplayByClone, ReplayWith, ResponseFilter,
    RetryLayer, RetryService, ServerContextLayer, ServerContextService, TimeoutLayer,
    TimeoutService,
};

// Idempotent endpoints
#[cfg(feature = "idempotent")]
mod idempotent;

#[cfg(feature = "idempotent")]
pub use idempotent::{IdempotencyLayer, IdempotencyService, IdempotentBody, StorePolicy};
