//! What errors of `redis` mean: by the words of a server, and by those of a real one.

#![allow(clippy::unwrap_used, reason = "a panic is what a test is for")]

mod answers;
mod fake;
mod real;
#[path = "../servers/mod.rs"]
mod servers;

use resilience::{Effect, FailureClass};

/// Nothing went out.
const UNSENT: FailureClass = FailureClass::transient().effect(Effect::NotSent);
/// Turned away.
const REFUSED: FailureClass = FailureClass::transient().effect(Effect::Refused);
/// Nobody knows.
const LOST: FailureClass = FailureClass::transient();
