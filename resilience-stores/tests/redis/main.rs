//! Redis: classification of errors, and the store of idempotency records.

#![allow(clippy::incompatible_msrv, reason = "the databases need a later version of Rust")]
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod errors;
#[path = "../servers/mod.rs"]
mod servers;
#[path = "../silence/mod.rs"]
mod silence;
mod store;
