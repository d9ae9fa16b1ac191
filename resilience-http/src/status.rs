//! The table of status codes.

use http::{HeaderMap, HeaderName, StatusCode};
use resilience_core::{Class, Kind, Sent};

use crate::classifier::Classifier;
use crate::retry_after::Asked;

/// The headers by which a server says itself whether to come again.
static VERDICTS: [HeaderName; 2] =
    [HeaderName::from_static("stripe-should-retry"), HeaderName::from_static("x-should-retry")];

pub(crate) fn class(rules: &Classifier, status: StatusCode, headers: &HeaderMap) -> Class {
    let code = status.as_u16();
    if code < 400 {
        return table(rules, code, false);
    }
    let asked = Asked::read(headers, rules.vendor);
    let limited = asked.delay().is_some() && rules.vendor.is_some_and(|it| it.limits_by(code));
    // What a vendor says by another status is its 429.
    let meant = if limited { 429 } else { code };
    let class = match (table(rules, meant, asked.is_demanded()), verdict(headers)) {
        (class, Some(false)) => Class::permanent().sent(class.sent),
        // Nothing is known of what was done, only that it may be sent again.
        (Class { kind: Kind::Permanent, .. }, Some(true)) => Class::transient(),
        (class, _) => class,
    };
    match asked.delay() {
        Some(delay) if class.kind != Kind::Permanent => class.after(delay),
        _ => class,
    }
}

fn table(rules: &Classifier, code: u16, demanded: bool) -> Class {
    match code {
        409 if rules.keyed && demanded => Class::throttled(None).sent(Sent::Refused),
        200..=299 | 409 => Class::permanent().sent(Sent::Done),
        413 | 423 if demanded => Class::throttled(None).sent(Sent::Refused),
        413 | 423 | 424 => Class::permanent().sent(Sent::Refused),
        // Another server may take it; the same one will not, however often it is asked.
        421 => Class::transient().sent(Sent::Refused).once(),
        425 => Class::transient().sent(Sent::Refused),
        429 if rules.strict_429 => Class::throttled(None),
        429 => Class::throttled(None).sent(Sent::Refused),
        503 | 507 if demanded => Class::throttled(None),
        509 | 529 => Class::throttled(None),
        521..=523 => Class::transient().sent(Sent::No),
        525 | 526 | 530 => Class::permanent().sent(Sent::No),
        501 | 505..=508 | 510 | 511 => Class::permanent(),
        // What nobody knows counts as a 500, says RFC 9110.
        408 | 500..=599 => Class::transient(),
        _ => Class::permanent(),
    }
}

pub(crate) fn verdict(headers: &HeaderMap) -> Option<bool> {
    VERDICTS.iter().find_map(|name| match headers.get(name)?.as_bytes().trim_ascii() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    })
}
