//! Idempotent calls through the public API.
#![allow(missing_docs, clippy::must_use_candidate, clippy::unused_async, reason = "tests")]

mod attribute;
mod runtime;
