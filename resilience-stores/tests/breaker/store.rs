//! The servers behind the shared states.

use resilience::stores::breaker::{PostgresState, RedisState};

pub(crate) use crate::server::{Kind, Store};

pub(crate) fn redis(url: &str) -> RedisState {
    RedisState::new(redis::Client::open(url).unwrap())
}

pub(crate) fn postgres(url: &str) -> PostgresState {
    PostgresState::new(url.parse().unwrap())
}
