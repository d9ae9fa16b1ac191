//! Endpoints that are safe to retry: a request with an idempotency key is handled once, and whoever sends it
//! again gets the answer of the first time.

mod body;
mod detach;
mod exchange;
mod fingerprint;
mod grpc;
mod key;
mod layer;
mod problem;
mod record;
mod service;
mod statuses;

pub use self::body::IdempotentBody;
pub use self::layer::IdempotencyLayer;
pub use self::service::IdempotencyService;
pub use self::statuses::StorePolicy;
