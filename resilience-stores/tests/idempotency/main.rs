//! The stores of idempotency records, on real databases.

#![allow(clippy::unwrap_used, reason = "a panic is what a test is for")]

mod child;
mod claims;
mod folder;
mod kills;
mod payments;
mod postgres;
#[path = "../servers/mod.rs"]
mod servers;
mod sqlite;
mod transaction;

/// Over how many keys the races of the suite go.
fn races() -> usize {
    let asked = std::env::var("RESILIENCE_RACES").ok().and_then(|keys| keys.parse().ok());
    asked.unwrap_or(50)
}
