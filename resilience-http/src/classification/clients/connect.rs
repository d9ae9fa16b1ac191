//! Failed connections.

use std::error::Error;
use std::io;

use resilience_core::__internal::{downcast, error_sources};
use resilience_core::{Effect, FailureClass};

/// Returns the class of a failed connection, given the source of the error.
///
/// The request was not sent. A TLS failure is permanent: `rustls` reports `InvalidData`, and
/// native TLS libraries mention a certificate. The refusal of a proxy is permanent. Any other
/// failure is transient.
pub(super) fn connect_error(source: Option<&(dyn Error + 'static)>) -> FailureClass {
    let is_lasting = |error| is_tls_failure(error) || is_proxy_refusal(error);
    let is_lasting = source.is_some_and(|source| error_sources(source).any(is_lasting));
    if is_lasting { FailureClass::permanent() } else { FailureClass::transient() }
        .effect(Effect::NotSent)
}

/// Returns whether a proxy refuses the connection. The errors of `hyper-util` are private, so only
/// their messages tell a refusal from a failed connection to the proxy. The status of a refused
/// `CONNECT` is unknown.
fn is_proxy_refusal(error: &(dyn Error + 'static)) -> bool {
    const REFUSALS: [&str; 7] = [
        "tunnel error: unsuccessful",
        "tunnel error: proxy authorization required",
        "tunnel error: proxy response headers too long",
        "SOCKS error: credentials not accepted",
        "SOCKS error: server does not support user/pass authentication",
        "SOCKS error: server implements authentication incorrectly",
        "SOCKS error: connection not allowed",
    ];
    REFUSALS.contains(&error.to_string().as_str())
}

fn is_tls_failure(error: &(dyn Error + 'static)) -> bool {
    let io_error = downcast::<io::Error>(error);
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
        || error.to_string().to_ascii_lowercase().contains("certificate")
}
