//! Idempotency records in Redis.

mod answer;
mod check;
mod demotion;
mod interrupted;
mod script;
mod store;

pub use check::Warning;
pub use store::RedisStore;
