//! Classification of `redis` errors, from scripted replies and from a real server.

pub(crate) mod fake_server;
mod real_server;
mod replies;
mod version_032;

use resilience::{Effect, FailureClass};

/// No request was sent.
const UNSENT: FailureClass = FailureClass::transient().effect(Effect::NotSent);
/// The server rejected the command.
const REFUSED: FailureClass = FailureClass::transient().effect(Effect::Refused);
/// The command may have been executed.
const LOST: FailureClass = FailureClass::transient();
