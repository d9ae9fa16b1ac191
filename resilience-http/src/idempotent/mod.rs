//! Idempotent endpoints: a request with an idempotency key is handled once.

mod background;
mod body;
mod canonical_json;
mod fingerprint;
mod grpc;
mod handle;
mod key_header;
mod layer;
mod media_type;
mod multipart;
mod problem;
mod record;
mod running;
mod service;
mod store_policy;
mod stored_headers;

pub use self::body::IdempotentBody;
pub use self::layer::IdempotencyLayer;
pub use self::service::IdempotencyService;
pub use self::store_policy::StorePolicy;
