//! The table of `std::io::ErrorKind`.

use std::io::ErrorKind;

use resilience_core::{Class, Sent};

pub(crate) fn table(kind: ErrorKind) -> Class {
    match kind {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        // No port of our own is left.
        | ErrorKind::AddrNotAvailable => Class::transient().sent(Sent::No),
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
        | ErrorKind::ExecutableFileBusy => Class::transient(),
        _ => Class::permanent(),
    }
}
