//! Idempotent endpoints: a request with an idempotency key is handled once.

mod background;
mod body;
mod fingerprint;
mod grpc;
mod handle;
mod key_header;
mod layer;
mod problem;
mod record;
mod service;
mod store_policy;

pub use self::body::IdempotentBody;
pub use self::layer::IdempotencyLayer;
pub use self::service::IdempotencyService;
pub use self::store_policy::StorePolicy;
