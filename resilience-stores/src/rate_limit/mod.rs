//! Rate limits shared between processes: the limiters of one name use one rate together.
//!
//! A shared limiter decides in memory, and a call costs no round trip. A [`RateLimitSync`] task
//! runs in parallel to the calls: the task leases a share of each rate from a [`LeaseStore`], by
//! demand, and renews the lease. [`RedisLeases`] and [`PostgresLeases`] implement [`LeaseStore`].

mod answer_limit;
mod fair_share;
mod lease_store;
mod leased_rate;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod sync;

pub use lease_store::{Lease, LeaseRequest, LeaseStore, MemberId, Share};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresLeases, SCHEMA as POSTGRES_SCHEMA};
#[cfg(feature = "redis")]
pub use redis::RedisLeases;
pub use sync::RateLimitSync;
