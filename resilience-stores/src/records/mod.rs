//! Stores of idempotency records.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod connection_guard;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod connections;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
