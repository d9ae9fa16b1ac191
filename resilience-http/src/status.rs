//! The table of status codes.

use http::{HeaderMap, HeaderName, StatusCode};
use resilience_core::{Effect, FailureClass, FailureKind};

use crate::classifier::Classifier;
use crate::retry_after::Asked;

/// The headers by which a server says itself whether to come again.
static VERDICTS: [HeaderName; 2] =
    [HeaderName::from_static("stripe-should-retry"), HeaderName::from_static("x-should-retry")];

pub(crate) fn class(rules: &Classifier, status: StatusCode, headers: &HeaderMap) -> FailureClass {
    let code = status.as_u16();
    if code < 400 {
        return table(rules, code, false);
    }
    let asked = Asked::read(headers, rules.vendor);
    let limited = asked.delay().is_some() && rules.vendor.is_some_and(|it| it.limits_by(code));
    // What a vendor says by another status is its 429.
    let meant = if limited { 429 } else { code };
    let class = match (table(rules, meant, asked.is_demanded()), verdict(headers)) {
        (class, Some(false)) => FailureClass::permanent().effect(class.effect),
        // Nothing is known of what was done, only that it may be sent again.
        (FailureClass { kind: FailureKind::Permanent, .. }, Some(true)) => {
            FailureClass::transient()
        }
        (class, _) => class,
    };
    match asked.delay() {
        Some(delay) if class.kind != FailureKind::Permanent => class.after(delay),
        _ => class,
    }
}

fn table(rules: &Classifier, code: u16, demanded: bool) -> FailureClass {
    match code {
        409 if rules.keyed && demanded => FailureClass::throttled(None).effect(Effect::Refused),
        200..=299 | 409 => FailureClass::permanent().effect(Effect::Applied),
        413 | 423 if demanded => FailureClass::throttled(None).effect(Effect::Refused),
        413 | 423 | 424 => FailureClass::permanent().effect(Effect::Refused),
        // Another server may take it; the same one will not, however often it is asked.
        421 => FailureClass::transient().effect(Effect::Refused).once(),
        425 => FailureClass::transient().effect(Effect::Refused),
        429 if rules.strict_429 => FailureClass::throttled(None),
        429 => FailureClass::throttled(None).effect(Effect::Refused),
        503 | 507 if demanded => FailureClass::throttled(None),
        509 | 529 => FailureClass::throttled(None),
        521..=523 => FailureClass::transient().effect(Effect::NotSent),
        525 | 526 | 530 => FailureClass::permanent().effect(Effect::NotSent),
        501 | 505..=508 | 510 | 511 => FailureClass::permanent(),
        // What nobody knows counts as a 500, says RFC 9110.
        408 | 500..=599 => FailureClass::transient(),
        _ => FailureClass::permanent(),
    }
}

pub(crate) fn verdict(headers: &HeaderMap) -> Option<bool> {
    VERDICTS.iter().find_map(|name| match headers.get(name)?.as_bytes().trim_ascii() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    })
}
