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
mod host_cooldown;
mod rate_limit;
mod readiness_watch;
mod replay;
mod request;
mod retry;
mod server_context;
mod timeout;

use core::ops::Deref;
use std::error::Error;
use std::sync::Arc;

use resilience_core::{PolicyHandle, register};

pub use self::bulkhead::{BulkheadLayer, BulkheadService};
pub use self::circuit_breaker::{CircuitBreakerLayer, CircuitBreakerService};
pub use self::client_context::{ClientContextLayer, ClientContextService};
pub use self::fallback::{FallbackLayer, FallbackService, ResponseFilter};
pub use self::gated_service::GatedService;
pub use self::host_cooldown::{HostCooldownLayer, HostCooldownService};
pub use self::rate_limit::{RateLimitLayer, RateLimitService};
pub use self::replay::{Replay, ReplayByClone, ReplayWith};
pub use self::request::HttpRequest;
pub use self::retry::{RetryLayer, RetryService};
pub use self::server_context::{ServerContextLayer, ServerContextService};
pub use self::timeout::{TimeoutLayer, TimeoutService};

type BoxError = Box<dyn Error + Send + Sync>;

/// A policy of a layer: a `static`, or shared by reference count.
#[derive(Debug)]
enum PolicyRef<T: 'static> {
    Static(&'static T),
    Shared(Arc<T>),
}

impl<T> Clone for PolicyRef<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(it) => Self::Static(it),
            Self::Shared(it) => Self::Shared(Arc::clone(it)),
        }
    }
}

impl<T> PolicyRef<T>
where
    PolicyHandle: From<&'static T> + for<'a> From<&'a Arc<T>>,
{
    /// Lists the policy in the registry.
    fn register(&self) {
        match self {
            Self::Static(it) => register(*it),
            Self::Shared(it) => register(it),
        }
    }
}

impl<T> Deref for PolicyRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(it) => it,
            Self::Shared(it) => it,
        }
    }
}
