//! What errors of `redis` mean: by the words of a server, and by those of a real one.

#![allow(clippy::unwrap_used, reason = "a panic is what a test is for")]

mod answers;
mod fake;
mod real;
#[path = "../servers/mod.rs"]
mod servers;

use resilience::{Class, Sent};

/// Nothing went out.
const UNSENT: Class = Class::transient().sent(Sent::No);
/// Turned away.
const REFUSED: Class = Class::transient().sent(Sent::Refused);
/// Nobody knows.
const LOST: Class = Class::transient();
