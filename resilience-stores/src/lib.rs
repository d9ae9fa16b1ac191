//! Databases and caches for `resilience-rs`: error classification, idempotency records, and circuit
//! breakers and rate limits shared between processes.
//!
//! - [`sqlx`] and [`redis`] classify errors: whether another attempt makes sense, and whether the
//!   side effect may have been applied.
//! - The feature `idempotent` adds a record store for each enabled database.
//! - The feature `shared-breakers` adds the module `breaker`, and the feature `shared-rate-limits`
//!   the module `rate_limit`.
//!
//! Depend on `resilience-rs` with one of the features `sqlx` and `redis`. `resilience-rs`
//! re-exports this crate as `resilience::stores` and contains the guide.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "shared-breakers")]
pub mod breaker;
mod chain;
#[allow(dead_code, reason = "the enabled features decide whether a function is used")]
mod db_time;
#[cfg(any(feature = "shared-breakers", feature = "shared-rate-limits"))]
mod own_connection;
#[cfg(any(feature = "shared-breakers", feature = "shared-rate-limits"))]
mod random_bits;
#[cfg(feature = "shared-rate-limits")]
pub mod rate_limit;
#[cfg(feature = "idempotent")]
mod records;
#[cfg(any(feature = "redis", feature = "redis-032"))]
pub mod redis;
#[cfg(any(
    all(feature = "idempotent", any(feature = "postgres", feature = "sqlite")),
    all(feature = "postgres", any(feature = "shared-breakers", feature = "shared-rate-limits"))
))]
mod rolled_back;
#[cfg(any(feature = "shared-breakers", feature = "shared-rate-limits"))]
mod rounds;
#[cfg(any(feature = "sqlx", feature = "sqlx-08"))]
pub mod sqlx;

pub use chain::{classify_chain, find_class};
#[cfg(all(feature = "idempotent", feature = "postgres"))]
pub use records::postgres::{self, PostgresStore};
#[cfg(all(feature = "idempotent", feature = "redis"))]
pub use records::redis::RedisStore;
#[cfg(all(feature = "idempotent", feature = "sqlite"))]
pub use records::sqlite::{self, SqliteStore};

/// The examples of the guide, which need the crates of the databases.
#[cfg(doctest)]
#[doc = include_str!("../../docs/stores.md")]
struct Guide;
