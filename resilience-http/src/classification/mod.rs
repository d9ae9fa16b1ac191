//! Classification of errors and responses of HTTP clients.
//!
//! Each file holds one table or one source of facts; [`Classifier`] combines them.

mod classifier;
mod clients;
mod error;
mod grpc_status;
mod io;
mod problem_type;
mod rate_limit_field;
mod request_url;
mod response;
mod retry_after;
mod status;
mod vendor;

pub use self::classifier::Classifier;
pub use self::error::{HttpError, classify, classify_chain};
pub use self::response::{HttpResponse, classify_response};
pub(crate) use self::retry_after::ServerDelay;
pub use self::retry_after::{RetryAfter, retry_after};
pub use self::vendor::Vendor;
