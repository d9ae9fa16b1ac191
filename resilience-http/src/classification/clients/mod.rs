//! Classification of client errors. Each function looks at one error without the sources.

#[cfg(any(feature = "hyper-util", feature = "tonic"))]
mod connect;
#[cfg(feature = "http2")]
mod h2;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "hyper-util")]
mod hyper_util;
#[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
mod reqwest;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;

use std::error::Error;

#[cfg(any(feature = "hyper", feature = "http2"))]
use resilience_core::__internal::downcast;
use resilience_core::FailureClass;

use crate::classification::Classifier;

/// Returns the class of a known client error.
pub(crate) fn classify(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    // A rejection of this process belongs to no request.
    #[cfg(feature = "tower")]
    if let Some(class) = tower::classify(error) {
        return Some(class);
    }
    of_client(rules, error).map(|class| rules.of_unknown_request(class))
}

#[cfg_attr(
    not(any(feature = "reqwest", feature = "reqwest-012", feature = "tonic")),
    expect(unused_variables, reason = "only `reqwest` and `tonic` need the rules")
)]
fn of_client(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    #[cfg(any(feature = "reqwest", feature = "reqwest-012"))]
    if let Some(class) = reqwest::classify(rules, error) {
        return Some(class);
    }
    #[cfg(feature = "tonic")]
    if let Some(class) = tonic::classify(rules, error) {
        return Some(class);
    }
    #[cfg(feature = "hyper-util")]
    if let Some(class) = downcast(error).and_then(hyper_util::classify) {
        return Some(class);
    }
    #[cfg(feature = "hyper")]
    if let Some(class) = downcast(error).and_then(hyper::classify) {
        return Some(class);
    }
    #[cfg(feature = "http2")]
    if let Some(class) = downcast(error).and_then(h2::classify) {
        return Some(class);
    }
    None
}
