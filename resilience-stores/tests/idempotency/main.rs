//! The SQL stores of idempotency records, on real databases.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod child;
mod claims;
#[path = "../shared/failing_statements.rs"]
mod failing_statements;
mod folder;
mod kills;
mod payments;
mod postgres;
#[path = "../servers/mod.rs"]
mod servers;
mod shared_pool;
#[path = "../silence/mod.rs"]
mod silence;
mod sqlite;
mod transaction;

/// The number of keys in the race tests of the conformance suite.
fn races() -> usize {
    let configured = std::env::var("RESILIENCE_RACES").ok().and_then(|keys| keys.parse().ok());
    configured.unwrap_or(50)
}
