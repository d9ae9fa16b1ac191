//! Classification of `std::io::ErrorKind`.

use std::io::ErrorKind;

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
