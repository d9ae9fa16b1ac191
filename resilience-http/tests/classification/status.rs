//! The table of status codes.

use std::time::Duration;

use http::StatusCode;
use reqwest::ResponseBuilderExt as _;
use resilience::http::Classifier;
use resilience::{Effect, FailureClass, FailureKind};

use crate::headers;

fn class(rules: Classifier, code: u16, pairs: &[(&'static str, &str)]) -> (FailureKind, Effect) {
    let class = of(rules, code, pairs);
    (class.kind, class.effect)
}

fn of(rules: Classifier, code: u16, pairs: &[(&'static str, &str)]) -> FailureClass {
    rules.status(StatusCode::from_u16(code).expect("a status"), &headers(pairs))
}

/// The effect of a 429 that `answered` returns to a request for `asked`.
fn refusal(asked: &str, answered: &str) -> Effect {
    let url = answered.parse().expect("a URL");
    let response = http::Response::builder().status(429).url(url).body("").expect("a response");
    Classifier::new().response_to(asked, &reqwest::Response::from(response)).effect
}

#[test]
fn the_spelling_of_a_url_is_no_redirect() {
    for (asked, answered) in [
        ("http://a.example", "http://a.example/"),
        ("http://a.example?q", "http://a.example/?q"),
        ("HTTP://A.EXAMPLE/x", "http://a.example/x"),
        ("http://a.example:80/x", "http://a.example/x"),
        ("http://user:word@a.example/x", "http://a.example/x"),
        ("http://a.example/a/../x", "http://a.example/x"),
        ("http://a.example/x y#top", "http://a.example/x%20y"),
        (" http://a.example/x ", "http://a.example/x"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ] {
        assert_eq!(refusal(asked, answered), Effect::Refused, "{asked}");
    }
    for (asked, answered) in [
        ("http://a.example/x", "http://b.example/x"),
        ("http://a.example/x", "https://a.example/x"),
        ("http://a.example:8080/x", "http://a.example/x"),
        ("http://a.example/x", "http://a.example/X"),
        ("http://a.example/x", "http://a.example/x?q"),
        ("/x", "http://a.example/x"),
        ("", "http://a.example/"),
    ] {
        assert_eq!(refusal(asked, answered), Effect::Unknown, "{asked}");
    }
}

const PLAIN: Classifier = Classifier::new();
const LATER: (&str, &str) = ("retry-after", "9");

#[test]
fn a_status_without_headers() {
    use FailureKind::{Permanent, Throttled, Transient};
    for (codes, kind, effect) in [
        (&[200, 201, 204, 206, 409][..], Permanent, Effect::Applied),
        (
            &[101, 301, 304, 400, 401, 403, 404, 405, 410, 412, 418, 422, 451],
            Permanent,
            Effect::Unknown,
        ),
        (&[413, 423, 424], Permanent, Effect::Refused),
        (&[408, 500, 502, 503, 504, 520, 524], Transient, Effect::Unknown),
        (&[421, 425], Transient, Effect::Refused),
        (&[429], Throttled, Effect::Refused),
        (&[501, 505, 506, 507, 508, 510, 511, 600, 999], Permanent, Effect::Unknown),
        (&[509, 529], Throttled, Effect::Unknown),
        (&[521, 522, 523], Transient, Effect::NotSent),
        (&[525, 526, 530], Permanent, Effect::NotSent),
        (&[527, 555, 599], Transient, Effect::Unknown),
    ] {
        for code in codes {
            assert_eq!(class(PLAIN, *code, &[]), (kind, effect), "{code}");
        }
    }
}

#[test]
fn a_misdirected_request_is_retried_once() {
    let refused = FailureClass::transient().effect(Effect::Refused);
    assert_eq!(of(PLAIN, 421, &[]), refused.once());
    assert_eq!(of(PLAIN, 421, &[LATER]), refused.once().after(Duration::from_secs(9)));
    assert_eq!(of(PLAIN, 425, &[]), refused);
}

#[test]
fn a_status_with_a_delay() {
    use FailureKind::{Permanent, Throttled, Transient};
    for (code, kind, effect) in [
        (413, Throttled, Effect::Refused),
        (423, Throttled, Effect::Refused),
        (503, Throttled, Effect::Unknown),
        (507, Throttled, Effect::Unknown),
        (500, Transient, Effect::Unknown),
        (429, Throttled, Effect::Refused),
        // No header makes these statuses retryable.
        (404, Permanent, Effect::Unknown),
        (409, Permanent, Effect::Applied),
        (424, Permanent, Effect::Refused),
        (501, Permanent, Effect::Unknown),
        (200, Permanent, Effect::Applied),
        (301, Permanent, Effect::Unknown),
    ] {
        let class = of(PLAIN, code, &[LATER]);
        assert_eq!((class.kind, class.effect), (kind, effect), "{code}");
        let after = (kind != Permanent).then_some(Duration::from_secs(9));
        assert_eq!(class.after, after, "{code}");
    }
    // The server asks for a delay of unknown length.
    for value in ["soon", "-1", "1.5", ""] {
        let unreadable = ("retry-after", value);
        assert_eq!(of(PLAIN, 503, &[unreadable]), FailureClass::throttled(None), "{value}");
        assert_eq!(of(PLAIN, 413, &[unreadable]).kind, Permanent, "{value}");
        assert_eq!(of(PLAIN, 500, &[unreadable]).kind, Transient, "{value}");
    }
    // An exhausted limit is a hint, not an explicit delay.
    let limit = ("ratelimit", r#""default";r=0;t=9"#);
    assert_eq!(of(PLAIN, 413, &[limit]).kind, Permanent);
    assert_eq!(of(PLAIN, 429, &[limit]).after, Some(Duration::from_secs(9)));
}

#[test]
fn classifier_settings_change_the_class() {
    let keyed = Classifier::new().keyed(true);
    assert_eq!(class(keyed, 409, &[LATER]), (FailureKind::Throttled, Effect::Refused));
    assert_eq!(of(keyed, 409, &[]), FailureClass::transient().after(Duration::ZERO));
    assert_eq!(class(keyed, 409, &[("x-should-retry", "false")]).0, FailureKind::Permanent);
    assert_eq!(class(keyed, 422, &[LATER]).0, FailureKind::Permanent);
    let strict = Classifier::new().strict_429(true);
    assert_eq!(class(strict, 429, &[]), (FailureKind::Throttled, Effect::Unknown));
    let clamped = Classifier::new().clamp_retry_after(Duration::from_secs(5));
    assert_eq!(of(clamped, 429, &[LATER]).after, Some(Duration::from_secs(5)));
    assert_eq!(of(clamped, 429, &[("retry-after", "2")]).after, Some(Duration::from_secs(2)));
}

#[test]
fn should_retry_headers_override_the_status() {
    for name in ["stripe-should-retry", "x-should-retry"] {
        assert_eq!(
            class(PLAIN, 503, &[(name, "false"), LATER]),
            (FailureKind::Permanent, Effect::Unknown)
        );
        assert_eq!(class(PLAIN, 409, &[(name, "true")]), (FailureKind::Transient, Effect::Unknown));
        assert_eq!(class(PLAIN, 429, &[(name, "true")]), (FailureKind::Throttled, Effect::Refused));
        assert_eq!(
            class(PLAIN, 503, &[(name, "perhaps")]),
            (FailureKind::Transient, Effect::Unknown)
        );
        assert_eq!(class(PLAIN, 200, &[(name, "true")]), (FailureKind::Permanent, Effect::Applied));
        let after = of(PLAIN, 400, &[(name, "true"), LATER]).after;
        assert_eq!(after, Some(Duration::from_secs(9)));
    }
}
