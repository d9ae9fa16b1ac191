//! `hyper::Error`.

use hyper::Error;
use resilience_core::{Effect, FailureClass};

pub(super) fn classify(error: &Error) -> Option<FailureClass> {
    if error.is_canceled() || error.is_closed() {
        // The connection closed before the client sent the request.
        return Some(FailureClass::transient().effect(Effect::NotSent));
    }
    (error.is_incomplete_message() || error.is_timeout()).then(FailureClass::transient)
}
