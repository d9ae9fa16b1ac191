//! `reqwest::Error`. The order of the checks matters.

use std::error::Error as _;

use http::HeaderMap;
use reqwest::Error;
use resilience_core::{Effect, FailureClass, FailureKind};

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
    let class = error.source().and_then(|source| first_known(rules, source));
    let of_body = error.is_body() || error.is_decode();
    match class {
        // The response had started, so the server applied the request.
        Some(class) if of_body && class.kind != FailureKind::Permanent => {
            class.effect(Effect::Applied)
        }
        Some(class) => class,
        None if of_body => FailureClass::transient().effect(Effect::Applied),
        None => FailureClass::permanent(),
    }
}
