//! `h2::Error`: what HTTP/2 says of a stream.

use h2::{Error, Reason};
use resilience_core::{Class, Sent};

use crate::io;

pub(super) fn class(error: &Error) -> Option<Class> {
    if let Some(error) = error.get_io() {
        return Some(io::table(error.kind()));
    }
    if !error.is_remote() {
        return None;
    }
    match error.reason()? {
        Reason::REFUSED_STREAM => Some(Class::transient().sent(Sent::Refused)),
        Reason::NO_ERROR if error.is_go_away() => Some(Class::transient().sent(Sent::Refused)),
        Reason::ENHANCE_YOUR_CALM => Some(Class::throttled(None).sent(Sent::Refused)),
        _ => None,
    }
}
