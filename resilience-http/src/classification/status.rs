//! Classification of status codes.

use core::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};
use resilience_core::__internal::class_of_status;
use resilience_core::{Effect, FailureClass, FailureKind};

use super::classifier::Classifier;
use super::grpc_status;
use super::retry_after::ServerDelay;

/// Headers with the server's own decision on a retry.
static SHOULD_RETRY: [HeaderName; 2] =
    [HeaderName::from_static("stripe-should-retry"), HeaderName::from_static("x-should-retry")];

pub(crate) fn classify_status(
    rules: &Classifier,
    status: StatusCode,
    headers: &HeaderMap,
) -> FailureClass {
    let code = status.as_u16();
    if code == 200 {
        if let Some(class) = grpc_status::classify_headers(rules, headers) {
            return class;
        }
    }
    if code < 400 {
        return classify_code(rules, code, ServerDelay::Absent);
    }
    let delay = ServerDelay::read(headers, rules.vendor);
    let is_vendor_limit =
        delay.delay().is_some() && rules.vendor.is_some_and(|it| it.is_rate_limit_status(code));
    // The status of a vendor for an exhausted limit counts as a 429.
    let effective_code = if is_vendor_limit { 429 } else { code };
    let class = match (classify_code(rules, effective_code, delay), should_retry(headers)) {
        (class, Some(false)) => FailureClass::permanent().effect(class.effect),
        // The header allows a retry and says nothing about the effect of the request.
        (FailureClass { kind: FailureKind::Permanent, .. }, Some(true)) => {
            FailureClass::transient()
        }
        (class, _) => class,
    };
    match delay.delay() {
        Some(delay) if class.kind != FailureKind::Permanent => class.after(delay),
        _ => class,
    }
}

fn classify_code(rules: &Classifier, code: u16, delay: ServerDelay) -> FailureClass {
    let has_explicit_delay = delay.is_explicit();
    match code {
        409 if rules.keyed && has_explicit_delay => {
            FailureClass::throttled(None).effect(Effect::Refused)
        }
        // Many services answer 409 to a key in use without a delay, and the SDKs of Stripe repeat
        // every 409. A zero selects short delays that grow.
        409 if rules.keyed => FailureClass::transient().after(Duration::ZERO),
        413 | 423 if has_explicit_delay => FailureClass::throttled(None).effect(Effect::Refused),
        429 if rules.strict_429 => FailureClass::throttled(None),
        503 | 507 if has_explicit_delay => FailureClass::throttled(None),
        // The server asks for a delay of unknown length.
        503 if matches!(delay, ServerDelay::Unreadable) => FailureClass::throttled(None),
        _ => class_of_status(code),
    }
}

pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    SHOULD_RETRY.iter().find_map(|name| match headers.get(name)?.as_bytes().trim_ascii() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    })
}
