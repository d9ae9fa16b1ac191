//! The table of status codes.

use std::time::Duration;

use http::StatusCode;
use resilience::http::Classifier;
use resilience::{Class, Kind, Sent};

use crate::headers;

fn class(rules: Classifier, code: u16, pairs: &[(&'static str, &str)]) -> (Kind, Sent) {
    let class = of(rules, code, pairs);
    (class.kind, class.sent)
}

fn of(rules: Classifier, code: u16, pairs: &[(&'static str, &str)]) -> Class {
    rules.status(StatusCode::from_u16(code).expect("a status"), &headers(pairs))
}

const PLAIN: Classifier = Classifier::new();
const LATER: (&str, &str) = ("retry-after", "9");

#[test]
fn by_itself() {
    use Kind::{Permanent, Throttled, Transient};
    for (codes, kind, sent) in [
        (&[200, 201, 204, 206, 409][..], Permanent, Sent::Done),
        (
            &[101, 301, 304, 400, 401, 403, 404, 405, 410, 412, 418, 422, 451],
            Permanent,
            Sent::Maybe,
        ),
        (&[413, 423, 424], Permanent, Sent::Refused),
        (&[408, 500, 502, 503, 504, 520, 524], Transient, Sent::Maybe),
        (&[421, 425], Transient, Sent::Refused),
        (&[429], Throttled, Sent::Refused),
        (&[501, 505, 506, 507, 508, 510, 511, 600, 999], Permanent, Sent::Maybe),
        (&[509, 529], Throttled, Sent::Maybe),
        (&[521, 522, 523], Transient, Sent::No),
        (&[525, 526, 530], Permanent, Sent::No),
        (&[527, 555, 599], Transient, Sent::Maybe),
    ] {
        for code in codes {
            assert_eq!(class(PLAIN, *code, &[]), (kind, sent), "{code}");
        }
    }
}

#[test]
fn a_request_that_was_misdirected_is_worth_one_more_attempt_only() {
    let refused = Class::transient().sent(Sent::Refused);
    assert_eq!(of(PLAIN, 421, &[]), refused.once());
    assert_eq!(of(PLAIN, 421, &[LATER]), refused.once().after(Duration::from_secs(9)));
    assert_eq!(of(PLAIN, 425, &[]), refused);
}

#[test]
fn with_a_time_to_come_back() {
    use Kind::{Permanent, Throttled, Transient};
    for (code, kind, sent) in [
        (413, Throttled, Sent::Refused),
        (423, Throttled, Sent::Refused),
        (503, Throttled, Sent::Maybe),
        (507, Throttled, Sent::Maybe),
        (500, Transient, Sent::Maybe),
        (429, Throttled, Sent::Refused),
        // No header makes these worth another attempt.
        (404, Permanent, Sent::Maybe),
        (409, Permanent, Sent::Done),
        (424, Permanent, Sent::Refused),
        (501, Permanent, Sent::Maybe),
        (200, Permanent, Sent::Done),
        (301, Permanent, Sent::Maybe),
    ] {
        let class = of(PLAIN, code, &[LATER]);
        assert_eq!((class.kind, class.sent), (kind, sent), "{code}");
        let after = (kind != Permanent).then_some(Duration::from_secs(9));
        assert_eq!(class.after, after, "{code}");
    }
    // A limit that is used up is a hint, and demands nothing.
    let limit = ("ratelimit", r#""default";r=0;t=9"#);
    assert_eq!(of(PLAIN, 413, &[limit]).kind, Permanent);
    assert_eq!(of(PLAIN, 429, &[limit]).after, Some(Duration::from_secs(9)));
}

#[test]
fn the_choices() {
    let keyed = Classifier::new().keyed(true);
    assert_eq!(class(keyed, 409, &[LATER]), (Kind::Throttled, Sent::Refused));
    assert_eq!(class(keyed, 409, &[]), (Kind::Permanent, Sent::Done));
    assert_eq!(class(keyed, 422, &[LATER]).0, Kind::Permanent);
    let strict = Classifier::new().strict_429(true);
    assert_eq!(class(strict, 429, &[]), (Kind::Throttled, Sent::Maybe));
    let clamped = Classifier::new().clamp_retry_after(Duration::from_secs(5));
    assert_eq!(of(clamped, 429, &[LATER]).after, Some(Duration::from_secs(5)));
    assert_eq!(of(clamped, 429, &[("retry-after", "2")]).after, Some(Duration::from_secs(2)));
}

#[test]
fn the_server_has_the_last_word() {
    for name in ["stripe-should-retry", "x-should-retry"] {
        assert_eq!(class(PLAIN, 503, &[(name, "false"), LATER]), (Kind::Permanent, Sent::Maybe));
        assert_eq!(class(PLAIN, 409, &[(name, "true")]), (Kind::Transient, Sent::Maybe));
        assert_eq!(class(PLAIN, 429, &[(name, "true")]), (Kind::Throttled, Sent::Refused));
        assert_eq!(class(PLAIN, 503, &[(name, "perhaps")]), (Kind::Transient, Sent::Maybe));
        assert_eq!(class(PLAIN, 200, &[(name, "true")]), (Kind::Permanent, Sent::Done));
        let after = of(PLAIN, 400, &[(name, "true"), LATER]).after;
        assert_eq!(after, Some(Duration::from_secs(9)));
    }
}
