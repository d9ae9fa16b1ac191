//! What HTTP means for a retry: which answers and errors are worth another attempt, when, and whether
//! a repetition is safe.
//!
//! Depend on `resilience-rs` with its feature `http`, which re-exports everything here as
//! `resilience::http` and has the guide.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod classifier;
mod clients;
mod error;
mod gate;
#[cfg(feature = "idempotent")]
mod idempotent;
mod io;
mod key;
mod problem;
mod rate_limit;
mod response;
mod retry_after;
mod status;
#[cfg(feature = "tower")]
mod tower;
mod vendor;

pub use classifier::Classifier;
pub use error::{HttpError, classify, classify_chain};
pub use gate::HostCooldown;
#[cfg(feature = "idempotent")]
pub use idempotent::{IdempotencyLayer, IdempotencyService, IdempotentBody, StorePolicy};
pub use key::{IDEMPOTENCY_KEY, IdempotencyKey, InvalidKey, is_idempotent};
pub use response::{HttpResponse, classify_response};
pub use retry_after::{RetryAfter, retry_after};
#[cfg(feature = "tower")]
pub use tower::{
    CircuitBreakerLayer, CircuitBreakerService, HostCooldownLayer, HostCooldownService,
    HttpRequest, Replay, ReplayByClone, ReplayWith, RetryLayer, RetryService, TimeoutLayer,
    TimeoutService,
};
pub use vendor::Vendor;
