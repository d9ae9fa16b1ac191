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
