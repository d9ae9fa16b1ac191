//! `h2::Error`: HTTP/2 stream and connection errors.

use h2::{Error, Reason};
use resilience_core::{Effect, FailureClass};

use crate::classification::io;

pub(super) fn classify(error: &Error) -> Option<FailureClass> {
    if let Some(error) = error.get_io() {
        return Some(io::classify_kind(error.kind()));
    }
    if !error.is_remote() {
        return None;
    }
    match error.reason()? {
        Reason::REFUSED_STREAM => Some(FailureClass::transient().effect(Effect::Refused)),
        Reason::NO_ERROR if error.is_go_away() => {
            Some(FailureClass::transient().effect(Effect::Refused))
        }
        Reason::ENHANCE_YOUR_CALM => Some(FailureClass::throttled(None).effect(Effect::Refused)),
        _ => None,
    }
}
