//! `X-RateLimit-*` headers count only for a named vendor.

use std::time::{Duration, SystemTime};

use http::{Response, StatusCode};
use resilience::http::{Classifier, HostCooldown, Vendor};
use resilience::{Effect, FailureClass, FailureKind, testing};

use crate::headers;

const DATE: &str = "Tue, 15 Nov 1994 08:12:31 GMT";
/// 30 seconds after `DATE`.
const LATER: &str = "784887181";

fn class(vendor: Option<Vendor>, status: u16, pairs: &[(&'static str, &str)]) -> FailureClass {
    let rules = vendor.map_or(Classifier::new(), |it| Classifier::new().vendor(it));
    rules.status(StatusCode::from_u16(status).expect("a status"), &headers(pairs))
}

#[test]
fn github_sends_a_time_and_limits_by_403() {
    let github = Some(Vendor::GitHub);
    let used_up = [("date", DATE), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", LATER)];
    let refused = FailureClass::throttled(Some(Duration::from_secs(30))).effect(Effect::Refused);
    assert_eq!(class(github, 403, &used_up), refused);
    assert_eq!(class(github, 429, &used_up), refused);
    assert_eq!(class(github, 503, &used_up).after, Some(Duration::from_secs(30)));
    for status in [200, 304, 401, 404, 422] {
        assert_eq!(class(github, status, &used_up), class(None, status, &used_up), "{status}");
    }
    // The secondary limit of GitHub uses `Retry-After`, and `Retry-After` takes precedence.
    let retry_after = [("retry-after", "60"), used_up[0], used_up[1], used_up[2]];
    let class_after = class(github, 403, &retry_after);
    assert_eq!(
        (class_after.kind, class_after.after),
        (FailureKind::Throttled, Some(Duration::from_secs(60)))
    );
    // A time in the past, and the local clock for a response without a date.
    let past = [("date", DATE), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "784887000")];
    assert_eq!(class(github, 403, &past).after, Some(Duration::ZERO));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let soon = (now.as_secs() + 100).to_string();
    let undated = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &*soon)];
    let after = class(github, 403, &undated).after.expect("a time");
    assert!((Duration::from_secs(90)..=Duration::from_secs(100)).contains(&after), "{after:?}");
}

#[test]
fn a_403_without_a_limit_is_permanent() {
    let cases: [&[(&str, &str)]; 7] = [
        &[],
        &[("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", LATER)],
        &[("x-ratelimit-remaining", "0")],
        &[("x-ratelimit-reset", LATER)],
        &[("x-ratelimit-remaining", "-0"), ("x-ratelimit-reset", LATER)],
        &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "soon")],
        &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", LATER), ("age", "3")],
    ];
    for pairs in cases {
        assert_eq!(class(Some(Vendor::GitHub), 403, pairs), FailureClass::permanent(), "{pairs:?}");
    }
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")];
    assert_eq!(class(Some(Vendor::Reddit), 403, &used_up), FailureClass::permanent());
}

#[test]
fn reddit_sends_seconds() {
    let reddit = Some(Vendor::Reddit);
    for (remaining, reset, expected) in [
        ("0", "30", Some(30)),
        ("0.0", "30", Some(30)),
        ("0", "29.2", Some(30)),
        ("0.5", "30", None),
        ("12", "30", None),
        ("0", "1e9", None),
        ("0", ".5", None),
        ("0", "5.", None),
        ("0", "99999999999999999999", Some(u64::MAX)),
    ] {
        let pairs = [("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", reset)];
        let expected =
            FailureClass::throttled(expected.map(Duration::from_secs)).effect(Effect::Refused);
        assert_eq!(class(reddit, 429, &pairs), expected, "{remaining} {reset}");
    }
}

#[test]
fn without_a_vendor_the_headers_are_ignored() {
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")];
    for status in [403, 429, 503] {
        assert_eq!(class(None, status, &used_up), class(None, status, &[]));
    }
}

#[test]
fn a_cooldown_reads_the_headers_of_a_vendor() {
    let _clock = testing::clock();
    let limited = Response::builder().status(403).header("date", DATE);
    let limited = limited.header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", LATER);
    let limited = limited.body(()).expect("a response");
    let cooldown = HostCooldown::new().vendor(Vendor::GitHub);
    assert!(cooldown.observe("api.github.com", &limited));
    assert_eq!(cooldown.remaining("api.github.com"), Some(Duration::from_secs(30)));
    assert!(!HostCooldown::new().observe("api.github.com", &limited));
    assert!(!HostCooldown::new().vendor(Vendor::Reddit).observe("api.github.com", &limited));
    let forbidden = Response::builder().status(403).body(()).expect("a response");
    assert!(!cooldown.observe("other.github.com", &forbidden));
}
