//! `h2::Error`: HTTP/2 stream and connection errors.

use h2::{Error, Reason};
use resilience_core::{Effect, FailureClass};

use crate::classification::io;

pub(super) fn classify(error: &Error) -> Option<FailureClass> {
    if let Some(error) = error.get_io() {
        return Some(io::classify_kind(error.kind()));
    }
    let reason = error.reason()?;
    if error.is_go_away() && error.is_library() {
        // This side has closed the connection, with every stream on it. The next connection is new.
        return Some(FailureClass::transient());
    }
    if !error.is_remote() {
        return None;
    }
    let class = match reason {
        Reason::ENHANCE_YOUR_CALM => FailureClass::throttled(None),
        // The server does not accept this request over HTTP/2, or over this TLS version.
        Reason::HTTP_1_1_REQUIRED | Reason::INADEQUATE_SECURITY => FailureClass::permanent(),
        _ => FailureClass::transient(),
    };
    // RFC 9113, section 8.7: the request was not processed. `h2` reports a GOAWAY only for streams
    // above the last stream of the frame. Any other reset is like the reset of a connection.
    let is_refused = error.is_go_away() || reason == Reason::REFUSED_STREAM;
    Some(if is_refused { class.effect(Effect::Refused) } else { class })
}
