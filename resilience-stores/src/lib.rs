//! What databases and caches mean for a retry: which of their errors are worth another attempt, and
//! whether the effect could have happened. With the feature `circuit_breaker`, breakers that processes
//! share.
//!
//! Depend on `resilience-rs` with one of its features `sqlx` and `redis`, which re-exports everything here
//! as `resilience::stores` and has the guide.

#[cfg(feature = "shared-breakers")]
pub mod breaker;
mod chain;
#[cfg(all(feature = "idempotent", any(feature = "postgres", feature = "sqlite")))]
mod held;
#[cfg(any(
    all(feature = "idempotent", any(feature = "postgres", feature = "redis", feature = "sqlite")),
    all(feature = "shared-breakers", any(feature = "postgres", feature = "redis"))
))]
mod millis;
#[cfg(all(feature = "idempotent", feature = "postgres"))]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(all(feature = "idempotent", any(feature = "postgres", feature = "sqlite")))]
mod sql;
#[cfg(all(feature = "idempotent", feature = "sqlite"))]
pub mod sqlite;
#[cfg(feature = "sqlx")]
pub mod sqlx;

pub use chain::{classify_chain, find_class};
#[cfg(all(feature = "idempotent", feature = "postgres"))]
pub use postgres::PostgresStore;
#[cfg(all(feature = "idempotent", feature = "redis"))]
pub use redis::RedisStore;
#[cfg(all(feature = "idempotent", feature = "sqlite"))]
pub use sqlite::SqliteStore;

/// The examples of the guide, which need the databases' crates.
#[cfg(doctest)]
#[doc = include_str!("../../docs/stores.md")]
struct Guide;
