//! The context of a call in the headers of a request: time left, attempt number and priority.

mod grpc_timeout;
mod headers;
#[cfg(feature = "tower")]
mod refusals;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
mod reqwest;
#[cfg(feature = "tonic")]
mod tonic;

pub use self::headers::{ContextHeaders, DeadlineFormat};
#[cfg(feature = "tower")]
pub(crate) use self::refusals::Refusals;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
pub use self::reqwest::WithContext;
#[cfg(feature = "tonic")]
pub use self::tonic::{context_from, with_context};
