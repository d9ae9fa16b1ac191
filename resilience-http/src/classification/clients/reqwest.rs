//! `reqwest::Error` of each supported major version. The order of the checks matters.

use std::error::Error;
use std::io;

use http::{HeaderMap, StatusCode};
use resilience_core::__internal::{downcast, error_sources};
use resilience_core::{Effect, FailureClass};

use super::connect::connect_error;
use crate::classification::Classifier;
use crate::classification::error::first_known;
use crate::classification::status;

pub(super) fn classify(rules: &Classifier, error: &(dyn Error + 'static)) -> Option<FailureClass> {
    let stage = stage(error)?;
    Some(classify_stage(rules, &stage, error.source()))
}

/// The part of a call that failed.
enum Stage {
    Builder,
    /// The client does not follow the redirect or the upgrade.
    Redirect,
    Connect,
    Timeout,
    Status(StatusCode),
    Body,
    Other,
}

/// Defines `stage` for these error types, which have equal methods.
macro_rules! stage_of {
    ($(#[$feature:meta] $error:ty),*) => {
        /// Returns the stage of an error of `reqwest`, of any version.
        fn stage(error: &(dyn Error + 'static)) -> Option<Stage> {
            $(
                #[$feature]
                if let Some(error) = downcast::<$error>(error) {
                    return Some(match error.status() {
                        _ if error.is_builder() => Stage::Builder,
                        _ if error.is_redirect() || error.is_upgrade() => Stage::Redirect,
                        _ if error.is_connect() => Stage::Connect,
                        _ if error.is_timeout() => Stage::Timeout,
                        Some(status) => Stage::Status(status),
                        None if error.is_body() || error.is_decode() => Stage::Body,
                        None => Stage::Other,
                    });
                }
            )*
            None
        }
    };
}

stage_of! {
    #[cfg(feature = "reqwest")] reqwest::Error,
    #[cfg(feature = "reqwest-012")] reqwest_012::Error
}

fn classify_stage(
    rules: &Classifier,
    stage: &Stage,
    source: Option<&(dyn Error + 'static)>,
) -> FailureClass {
    match stage {
        Stage::Builder => FailureClass::permanent().effect(Effect::NotSent),
        // The server has answered, so the effect of the request is unknown.
        Stage::Redirect => FailureClass::permanent(),
        Stage::Connect => connect_error(source),
        Stage::Timeout => FailureClass::transient(),
        Stage::Status(status) => status::classify_status(rules, *status, &HeaderMap::new()),
        // The response had started, so the server applied the request.
        Stage::Body => body_error(source).effect(Effect::Applied),
        Stage::Other => {
            let class = source.and_then(|source| first_known(rules, source));
            let class = class.unwrap_or_else(FailureClass::permanent);
            // An error of a body inside is the body of the request, and no response has started.
            if class.effect == Effect::Applied { class.effect(Effect::Unknown) } else { class }
        }
    }
}

/// Returns the class of a body that the client cannot read.
///
/// A body that breaks off, or whose chunks or compression are malformed, was damaged on the way.
/// The source is then an error of the transport or of a decoder. A complete body of the wrong form,
/// such as an HTML page in place of JSON, is the response of the server.
fn body_error(source: Option<&(dyn Error + 'static)>) -> FailureClass {
    let is_damaged = source.is_some_and(|source| {
        error_sources(source).any(|error| error.is::<hyper::Error>() || error.is::<io::Error>())
    });
    if is_damaged { FailureClass::transient() } else { FailureClass::permanent() }
}
