//! What the errors of each client mean. Each is asked about the one error, and not about its sources.

#[cfg(any(feature = "hyper-util", feature = "tonic"))]
mod connect;
#[cfg(feature = "http2")]
mod h2;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "hyper-util")]
mod hyper_util;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "tonic")]
mod tonic;

use std::error::Error;

use resilience_core::FailureClass;

use crate::classifier::Classifier;

/// The meaning of this one error, where it is that of a client that says something.
#[cfg_attr(
    not(any(feature = "reqwest", feature = "tonic")),
    expect(unused_variables, reason = "only these two look at it")
)]
pub(crate) fn class(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref() {
        return Some(reqwest::class(rules, error));
    }
    #[cfg(feature = "tonic")]
    if let Some(class) = tonic::class(rules, error) {
        return Some(class);
    }
    #[cfg(feature = "hyper-util")]
    if let Some(class) = error.downcast_ref().and_then(hyper_util::class) {
        return Some(class);
    }
    #[cfg(feature = "hyper")]
    if let Some(class) = error.downcast_ref().and_then(hyper::class) {
        return Some(class);
    }
    #[cfg(feature = "http2")]
    if let Some(class) = error.downcast_ref().and_then(h2::class) {
        return Some(class);
    }
    None
}
