//! Retries for the functions you already have, by attribute.
//!
//! x

extern crate self as resilience;

#[doc(hidden)]
pub use resilience_core::__private;
pub use resilience_core::*;

#[doc = include_str!("../docs/retry.md")]
pub use resilience_macros::retry;
