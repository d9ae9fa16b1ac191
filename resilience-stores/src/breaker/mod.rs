//! Circuit breakers that processes share: an opening in one is an opening in all.
//!
//! The breaker stays what it is, local, and a call of one that is shared costs what any call costs. Beside
//! the calls an [`Exchange`] tells a [`Board`] what the breakers of this process have come to, and follows
//! what the board says of the others. [`RedisBoard`] and [`PostgresBoard`] are boards.

mod board;
mod exchange;
mod link;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

pub use board::{Board, Entry, Stand, Tag};
pub use exchange::Exchange;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresBoard, SCHEMA as POSTGRES_SCHEMA};
#[cfg(feature = "redis")]
pub use redis::RedisBoard;
