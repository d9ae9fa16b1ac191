//! The same for those who have a `Service` instead of a function: layers of `tower`.
//!
//! The retry layer gives errors back as they come. The others turn calls away, which no client's error
//! can say, so theirs is a box, as in `tower`'s own layers.

mod circuit_breaker;
mod host_gate;
mod replay;
mod request;
mod retry;
mod retry_future;
mod timeout;

use core::ops::Deref;
use std::error::Error;
use std::sync::Arc;

pub use self::circuit_breaker::{CircuitBreakerLayer, CircuitBreakerService};
pub use self::host_gate::{HostCooldownLayer, HostCooldownService};
pub use self::replay::{Replay, ReplayByClone, ReplayWith};
pub use self::request::HttpRequest;
pub use self::retry::{RetryLayer, RetryService};
pub use self::timeout::{TimeoutLayer, TimeoutService};

type BoxError = Box<dyn Error + Send + Sync>;

/// What a service shares with others.
#[derive(Debug)]
enum Handle<T: 'static> {
    Static(&'static T),
    Shared(Arc<T>),
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Static(it) => Self::Static(it),
            Self::Shared(it) => Self::Shared(Arc::clone(it)),
        }
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Static(it) => it,
            Self::Shared(it) => it,
        }
    }
}
