//! `hyper::Error`.

use hyper::Error;
use resilience_core::{Class, Sent};

pub(super) fn class(error: &Error) -> Option<Class> {
    if error.is_canceled() || error.is_closed() {
        // The connection was gone before the request went out.
        return Some(Class::transient().sent(Sent::No));
    }
    (error.is_incomplete_message() || error.is_timeout()).then(Class::transient)
}
