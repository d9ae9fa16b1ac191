//! The stores of the examples: the conformance suite, and the promises of each store.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

#[allow(dead_code, reason = "the program of the example")]
#[path = "../../examples/encrypted_store.rs"]
mod encrypted_store;
#[allow(dead_code, reason = "the program of the example")]
#[path = "../../examples/file_store.rs"]
mod file_store;

mod encrypted;
mod file;
