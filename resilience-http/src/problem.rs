//! The problem types of the IETF draft for `RateLimit`.

use http::HeaderMap;
use resilience_core::{Effect, FailureClass};

use crate::classifier::Classifier;
use crate::retry_after::Asked;
use crate::status::verdict;

const REGISTRY: &str = "https://iana.org/assignments/http-problem-types#";

/// What a problem means, where it is one of them and the server has no word of its own on it.
pub(crate) fn class(
    rules: &Classifier,
    problem: &str,
    headers: &HeaderMap,
) -> Option<FailureClass> {
    if verdict(headers) == Some(false) {
        return None;
    }
    match problem.strip_prefix(REGISTRY)? {
        "quota-exceeded" | "temporary-reduced-capacity" => {
            let after = Asked::read(headers, rules.vendor).delay();
            Some(FailureClass::throttled(after).effect(Effect::Refused))
        }
        "abnormal-usage-detected" => Some(FailureClass::permanent().effect(Effect::Refused)),
        _ => None,
    }
}
