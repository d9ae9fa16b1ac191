//! The class of an HTTP status, where neither headers nor settings decide.

use crate::classify::{Effect, FailureClass};

/// Returns the class of a status. A final response, such as a 200 or a 404, is permanent.
#[must_use]
pub const fn class_of_status(code: u16) -> FailureClass {
    match code {
        200..=299 | 409 => FailureClass::permanent().effect(Effect::Applied),
        413 | 423 | 424 => FailureClass::permanent().effect(Effect::Refused),
        // Another server may accept the request, but this server never does: one retry is enough.
        421 => FailureClass::transient().effect(Effect::Refused).once(),
        425 => FailureClass::transient().effect(Effect::Refused),
        429 => FailureClass::throttled(None).effect(Effect::Refused),
        509 | 529 => FailureClass::throttled(None),
        521..=523 => FailureClass::transient().effect(Effect::NotSent),
        525 | 526 | 530 => FailureClass::permanent().effect(Effect::NotSent),
        501 | 505..=508 | 510 | 511 => FailureClass::permanent(),
        // RFC 9110: an unknown status of a class counts as the x00 status of the class.
        408 | 500..=599 => FailureClass::transient(),
        _ => FailureClass::permanent(),
    }
}
