//! Failed connections.

use std::error::Error;
use std::io;

use resilience_core::__internal::error_sources;
use resilience_core::{Effect, FailureClass};

/// Returns the class of a failed connection, given the source of the error.
///
/// The request was not sent. A TLS failure is permanent: `rustls` reports `InvalidData`, and
/// native TLS libraries mention a certificate. Any other failure is transient.
pub(super) fn connect_error(source: Option<&(dyn Error + 'static)>) -> FailureClass {
    let is_lasting = source.is_some_and(|source| error_sources(source).any(is_tls_failure));
    if is_lasting { FailureClass::permanent() } else { FailureClass::transient() }
        .effect(Effect::NotSent)
}

fn is_tls_failure(error: &(dyn Error + 'static)) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
        || error.to_string().to_ascii_lowercase().contains("certificate")
}
