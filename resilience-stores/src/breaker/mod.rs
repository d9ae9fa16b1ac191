//! Circuit breakers shared between processes: if a [`Quorum`] of processes opens a breaker, all
//! processes open the breaker.
//!
//! A shared breaker stays local, and a call costs no more than a call of any other breaker. A
//! [`BreakerSync`] task runs in parallel to the calls: the task publishes the decisions of this
//! process to a [`SharedState`] and applies the decisions of other processes. [`RedisState`] and
//! [`PostgresState`] implement [`SharedState`].

#[cfg(feature = "postgres")]
mod postgres;
mod quorum;
#[cfg(feature = "redis")]
mod redis;
mod shared_state;
mod sync;
mod synced_breaker;
mod synced_name;

#[cfg(feature = "postgres")]
pub use postgres::{PostgresState, SCHEMA as POSTGRES_SCHEMA};
pub use quorum::Quorum;
#[cfg(feature = "redis")]
pub use redis::RedisState;
pub use shared_state::{ProcessId, SharedState, Vote, VoteId, VoteState, Votes};
pub use sync::BreakerSync;
