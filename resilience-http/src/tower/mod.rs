//! Layers for `tower` services.
//!
//! The retry layer and the fallback layer return the errors of the service unchanged. The
//! remaining layers reject calls. The error type of a client cannot represent a rejection, so these
//! layers return a boxed error, like the layers of `tower`.

mod bulkhead;
mod circuit_breaker;
mod client_context;
mod fallback;
mod gated_service;
mod handover;
mod host_cooldown;
mod policy_source;
mod rate_limit;
mod readiness_watch;
mod replay;
mod request;
mod retry;
mod server_context;
mod timeout;

use std::error::Error;

pub use self::bulkhead::{BulkheadLayer, BulkheadService};
pub use self::circuit_breaker::{BreakersByHost, CircuitBreakerLayer, CircuitBreakerService};
pub use self::client_context::{ClientContextLayer, ClientContextService};
pub use self::fallback::{FallbackLayer, FallbackService, ResponseFilter};
pub use self::gated_service::GatedService;
pub use self::host_cooldown::{HostCooldownLayer, HostCooldownService};
pub use self::policy_source::{OnePolicy, PolicyByRequest};
pub use self::rate_limit::{RateLimitLayer, RateLimitService};
pub use self::replay::{Replay, ReplayByClone, ReplayWith};
pub use self::request::HttpRequest;
pub use self::retry::{RetryLayer, RetryService};
pub use self::server_context::{ServerContextLayer, ServerContextService};
pub use self::timeout::{TimeoutLayer, TimeoutService};

type BoxError = Box<dyn Error + Send + Sync>;
