//! `hyper::Error`.

use hyper::Error;
use resilience_core::{Effect, FailureClass};

pub(super) fn class(error: &Error) -> Option<FailureClass> {
    if error.is_canceled() || error.is_closed() {
        // The connection was gone before the request went out.
        return Some(FailureClass::transient().effect(Effect::NotSent));
    }
    (error.is_incomplete_message() || error.is_timeout()).then(FailureClass::transient)
}
