//! Circuit breakers that processes share: an opening in one is an opening in all.
//!
//! The breaker stays what it is, local, and a call of one that is shared costs what any call costs. Beside
//! the calls an [`BreakerSync`] tells a [`SharedState`] what the breakers of this process have come to, and follows
//! what the board says of the others. [`RedisState`] and [`PostgresState`] are boards.

mod board;
mod exchange;
mod link;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

pub use board::{EntryId, RemoteState, SharedEntry, SharedState};
pub use exchange::BreakerSync;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresState, SCHEMA as POSTGRES_SCHEMA};
#[cfg(feature = "redis")]
pub use redis::RedisState;
