//! What idempotent calls promise, through the public API.

mod conformance;
