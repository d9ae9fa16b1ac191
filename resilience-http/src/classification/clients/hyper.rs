//! `hyper::Error`.

use std::error::Error as _;
use std::io;

use hyper::Error;
use resilience_core::{Effect, FailureClass};

pub(super) fn classify(error: &Error) -> Option<FailureClass> {
    if error.is_canceled() || error.is_closed() {
        // The connection closed before the client sent the request.
        return Some(FailureClass::transient().effect(Effect::NotSent));
    }
    let breaks_off = error.is_incomplete_message() || error.is_timeout() || is_malformed(error);
    breaks_off.then(FailureClass::transient)
}

/// Returns whether the received bytes are malformed, such as the size of a chunk: `hyper` reports
/// an `io::Error` of its own. A body of the application can fail with such an error as well.
fn is_malformed(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let is_invalid = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
    };
    !error.is_user() && source.is_some_and(is_invalid)
}
