//! Redis: what its errors mean, and idempotency records in it.

#[cfg(feature = "idempotent")]
mod answer;
#[cfg(feature = "idempotent")]
mod check;
mod classify;
#[cfg(feature = "idempotent")]
mod interrupted;
#[cfg(feature = "idempotent")]
mod script;
#[cfg(feature = "idempotent")]
mod store;

#[cfg(feature = "idempotent")]
pub use check::Warning;
pub use classify::classify;
#[cfg(feature = "idempotent")]
pub use store::RedisStore;
