//! Real servers for tests, each on a free loopback port with separate data, and a proxy that
//! breaks connections on purpose.
//!
//! A test reports a missing server and passes; with `RESILIENCE_CI` in the environment the test
//! fails. No server outlives the process that started the server, however the process ends.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses some of the items"
)]

mod binaries;
mod directory;
mod pgbouncer;
mod port;
mod postgres;
mod proxy;
mod redis;
mod server_process;

use std::time::{Duration, Instant};

pub use binaries::is_running;
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use redis::Redis;
pub use server_process::Signal;

/// Waits until an expected condition holds.
#[track_caller]
pub fn until(condition: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "still waiting for {condition}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
