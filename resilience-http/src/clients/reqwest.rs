//! `reqwest::Error`. The order of the questions matters.

use std::error::Error as _;

use http::HeaderMap;
use reqwest::Error;
use resilience_core::{Class, Kind, Sent};

use super::connect::unconnected;
use crate::classifier::Classifier;
use crate::error::known;
use crate::status;

pub(super) fn class(rules: &Classifier, error: &Error) -> Class {
    if error.is_builder() {
        return Class::permanent().sent(Sent::No);
    }
    if error.is_redirect() || error.is_upgrade() {
        // The server has answered, so whether it has done something is its secret.
        return Class::permanent();
    }
    if error.is_connect() {
        return unconnected(error.source());
    }
    if error.is_timeout() {
        return Class::transient();
    }
    if let Some(status) = error.status() {
        return status::class(rules, status, &HeaderMap::new());
    }
    let class = error.source().and_then(|source| known(rules, source));
    let of_body = error.is_body() || error.is_decode();
    match class {
        // The response had begun.
        Some(class) if of_body && class.kind != Kind::Permanent => class.sent(Sent::Done),
        Some(class) => class,
        None if of_body => Class::transient().sent(Sent::Done),
        None => Class::permanent(),
    }
}
