//! What idempotent calls promise, through the public API.

mod calls;
mod conformance;
mod defects;
mod model;
