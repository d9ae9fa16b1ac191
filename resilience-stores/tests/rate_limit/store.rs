//! The servers behind the leases.

use resilience::stores::rate_limit::{PostgresLeases, RedisLeases};

pub(crate) use crate::server::{Kind, Store};

pub(crate) fn redis(url: &str) -> RedisLeases {
    RedisLeases::new(redis::Client::open(url).unwrap())
}

pub(crate) fn postgres(url: &str) -> PostgresLeases {
    PostgresLeases::new(url.parse().unwrap())
}
