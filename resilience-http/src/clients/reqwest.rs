//! `reqwest::Error`. The order of the questions matters.

use std::error::Error as _;

use http::HeaderMap;
use reqwest::Error;
use resilience_core::{Effect, FailureClass, FailureKind};

use super::connect::unconnected;
use crate::classifier::Classifier;
use crate::error::known;
use crate::status;

pub(super) fn class(rules: &Classifier, error: &Error) -> FailureClass {
    if error.is_builder() {
        return FailureClass::permanent().effect(Effect::NotSent);
    }
    if error.is_redirect() || error.is_upgrade() {
        // The server has answered, so whether it has done something is its secret.
        return FailureClass::permanent();
    }
    if error.is_connect() {
        return unconnected(error.source());
    }
    if error.is_timeout() {
        return FailureClass::transient();
    }
    if let Some(status) = error.status() {
        return status::class(rules, status, &HeaderMap::new());
    }
    let class = error.source().and_then(|source| known(rules, source));
    let of_body = error.is_body() || error.is_decode();
    match class {
        // The response had begun.
        Some(class) if of_body && class.kind != FailureKind::Permanent => {
            class.effect(Effect::Applied)
        }
        Some(class) => class,
        None if of_body => FailureClass::transient().effect(Effect::Applied),
        None => FailureClass::permanent(),
    }
}
