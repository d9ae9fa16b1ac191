//! The problem types of the IETF draft for `RateLimit`.

use http::HeaderMap;
use resilience_core::{Class, Sent};

use crate::classifier::Classifier;
use crate::retry_after::Asked;
use crate::status::verdict;

const REGISTRY: &str = "https://iana.org/assignments/http-problem-types#";

/// What a problem means, where it is one of them and the server has no word of its own on it.
pub(crate) fn class(rules: &Classifier, problem: &str, headers: &HeaderMap) -> Option<Class> {
    if verdict(headers) == Some(false) {
        return None;
    }
    match problem.strip_prefix(REGISTRY)? {
        "quota-exceeded" | "temporary-reduced-capacity" => {
            let after = Asked::read(headers, rules.vendor).delay();
            Some(Class::throttled(after).sent(Sent::Refused))
        }
        "abnormal-usage-detected" => Some(Class::permanent().sent(Sent::Refused)),
        _ => None,
    }
}
