//! Problem types of the IETF draft for `RateLimit`.

use http::HeaderMap;
use resilience_core::{Effect, FailureClass};

use super::classifier::Classifier;
use super::retry_after::ServerDelay;
use super::status::should_retry;

const REGISTRY: &str = "https://iana.org/assignments/http-problem-types#";

/// Returns the class of a known problem type.
///
/// The class is `None` for another type, or if the server forbids a retry with a header of its
/// own.
pub(crate) fn classify_problem(
    rules: &Classifier,
    problem: &str,
    headers: &HeaderMap,
) -> Option<FailureClass> {
    if should_retry(headers) == Some(false) {
        return None;
    }
    match problem.strip_prefix(REGISTRY)? {
        "quota-exceeded" | "temporary-reduced-capacity" => {
            let after = ServerDelay::read(headers, rules.vendor).delay();
            Some(FailureClass::throttled(after).effect(Effect::Refused))
        }
        "abnormal-usage-detected" => Some(FailureClass::permanent().effect(Effect::Refused)),
        _ => None,
    }
}
