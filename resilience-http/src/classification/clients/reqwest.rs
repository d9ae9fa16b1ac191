//! `reqwest::Error`. The order of the checks matters.

use std::error::Error as _;
use std::io;

use http::HeaderMap;
use reqwest::Error;
use resilience_core::__internal::error_sources;
use resilience_core::{Effect, FailureClass};

use super::connect::connect_error;
use crate::classification::Classifier;
use crate::classification::error::first_known;
use crate::classification::status;

pub(super) fn classify(rules: &Classifier, error: &Error) -> FailureClass {
    if error.is_builder() {
        return FailureClass::permanent().effect(Effect::NotSent);
    }
    if error.is_redirect() || error.is_upgrade() {
        // The server has answered, so the effect of the request is unknown.
        return FailureClass::permanent();
    }
    if error.is_connect() {
        return connect_error(error.source());
    }
    if error.is_timeout() {
        return FailureClass::transient();
    }
    if let Some(status) = error.status() {
        return status::classify_status(rules, status, &HeaderMap::new());
    }
    if error.is_body() || error.is_decode() {
        // The response had started, so the server applied the request.
        return body_error(error).effect(Effect::Applied);
    }
    let class = error.source().and_then(|source| first_known(rules, source));
    class.unwrap_or_else(FailureClass::permanent)
}

/// Returns the class of a body that the client cannot read.
///
/// A body that breaks off, or whose chunks or compression are malformed, was damaged on the way.
/// The source is then an error of the transport or of a decoder. A complete body of the wrong form,
/// such as an HTML page in place of JSON, is the response of the server.
fn body_error(error: &Error) -> FailureClass {
    let is_damaged = error.source().is_some_and(|source| {
        error_sources(source).any(|error| error.is::<hyper::Error>() || error.is::<io::Error>())
    });
    if is_damaged { FailureClass::transient() } else { FailureClass::permanent() }
}
