//! Connections that were not made.

use std::error::Error;
use std::io;

use resilience_core::__internal::error_sources;
use resilience_core::{Effect, FailureClass};

/// A connection that was not made, by what stands behind the error that says so. It may be made another
/// time, unless the two do not trust or understand one another: `rustls` says so by data that are
/// invalid, the others by a word.
pub(super) fn unconnected(source: Option<&(dyn Error + 'static)>) -> FailureClass {
    let hopeless = source.is_some_and(|source| error_sources(source).any(is_hopeless));
    if hopeless { FailureClass::permanent() } else { FailureClass::transient() }
        .effect(Effect::NotSent)
}

fn is_hopeless(error: &(dyn Error + 'static)) -> bool {
    let error_of_io = error.downcast_ref::<io::Error>();
    error_of_io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
        || error.to_string().to_ascii_lowercase().contains("certificate")
}
