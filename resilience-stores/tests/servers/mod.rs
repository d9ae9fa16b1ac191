//! Real servers for tests, each on a free port of the loopback with data of its own, and a proxy that breaks
//! connections on purpose.
//!
//! Where a server is not installed, a test says so and passes; with `RESILIENCE_CI` in the environment it
//! fails. No server outlives the process that started it, however that ends.

#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test binary uses its part")]

mod binaries;
mod directory;
mod kept;
mod pgbouncer;
mod port;
mod postgres;
mod proxy;
mod redis;

use std::time::{Duration, Instant};

pub use binaries::is_running;
pub use kept::Signal;
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::Postgres;
pub use proxy::Proxy;
pub use redis::Redis;

/// Waits until something that is expected soon has come.
#[track_caller]
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !come() {
        assert!(start.elapsed() < Duration::from_secs(20), "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
