//! Classification of `std::io::ErrorKind`.

use std::io::{self, ErrorKind};

use resilience_core::{Effect, FailureClass};

pub(crate) fn classify_kind(kind: ErrorKind) -> FailureClass {
    match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        // No local port is free.
        | ErrorKind::AddrNotAvailable => FailureClass::transient().effect(Effect::NotSent),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::Interrupted
        | ErrorKind::WouldBlock
        | ErrorKind::ResourceBusy
        | ErrorKind::Deadlock
        | ErrorKind::StaleNetworkFileHandle
        | ErrorKind::ExecutableFileBusy => FailureClass::transient(),
        _ => FailureClass::permanent(),
    }
}

/// Returns whether a kind says what failed. `Other`, and the unstable kinds of unusual system
/// errors, do not.
pub(crate) fn is_definite(kind: ErrorKind) -> bool {
    let unknown = [ErrorKind::Other, io::Error::from_raw_os_error(i32::MAX).kind()];
    !unknown.contains(&kind)
}
