//! Valid and invalid delays in headers.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use resilience::http::{RetryAfter, retry_after};

use crate::headers;

const DATE: (&str, &str) = ("date", "Tue, 15 Nov 1994 08:12:31 GMT");

fn seconds(pairs: &[(&'static str, &str)]) -> Option<u64> {
    retry_after(&headers(pairs)).map(|delay| delay.as_secs())
}

#[test]
fn seconds_are_ascii_digits() {
    for (value, expected) in [
        ("0", Some(0)),
        ("1", Some(1)),
        ("120", Some(120)),
        ("007", Some(7)),
        (" \t 5\t ", Some(5)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", Some(u64::MAX)),
        ("99999999999999999999999999999999999999999", Some(u64::MAX)),
        ("", None),
        (" ", None),
        ("+5", None),
        ("-1", None),
        ("-0", None),
        ("1.5", None),
        ("1e9", None),
        ("0x10", None),
        ("inf", None),
        ("NaN", None),
        ("120, 60", None),
        ("120;60", None),
        ("5s", None),
        ("5 0", None),
        ("٥", None),
        ("５", None),
        ("soon", None),
    ] {
        assert_eq!(seconds(&[("retry-after", value)]), expected, "{value:?}");
    }
}

#[test]
fn a_date_is_relative_to_the_date_of_the_response() {
    for (value, expected) in [
        ("Tue, 15 Nov 1994 08:12:36 GMT", Some(5)),
        ("Tuesday, 15-Nov-94 08:12:36 GMT", Some(5)),
        ("Tue Nov 15 08:12:36 1994", Some(5)),
        ("  Tue, 15 Nov 1994 08:12:36 GMT\t", Some(5)),
        ("Tue, 15 Nov 1994 08:12:31 GMT", Some(0)),
        ("Tue, 15 Nov 1994 08:12:30 GMT", Some(0)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Mon, 15 Nov 1994 08:12:36 GMT", None), // the date was a Tuesday
        ("Tue, 15 Nov 1994 08:12:36 +0000", None),
        ("Tue, 15 Nov 1994 08:12:36", None),
        ("Tue, 31 Feb 1994 08:12:36 GMT", None),
        ("1994-11-15T08:12:36Z", None),
    ] {
        assert_eq!(seconds(&[DATE, ("retry-after", value)]), expected, "{value:?}");
    }
    // The end of the calendar does not overflow.
    let last = [DATE, ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")];
    assert!(seconds(&last).is_some_and(|seconds| seconds > 8000 * 365 * 86_400));
}

#[test]
fn the_age_of_a_cached_response_counts() {
    let at = ("retry-after", "Tue, 15 Nov 1994 08:17:31 GMT"); // five minutes after `DATE`
    for (age, expected) in [
        ("0", Some(300)),
        ("299", Some(1)),
        ("300", Some(0)),
        ("3600", Some(0)),
        ("99999999999999999999999999", Some(0)),
        ("-1", Some(300)),
        ("soon", Some(300)),
    ] {
        assert_eq!(seconds(&[DATE, at, ("age", age)]), expected, "{age}");
    }
    // A number of seconds counts from the arrival of the response (RFC 9110, section 10.2.3).
    assert_eq!(seconds(&[DATE, ("retry-after", "300"), ("age", "3600")]), Some(300));
}

#[test]
fn without_a_date_header_the_local_clock_counts() {
    let at = SystemTime::now() + Duration::from_secs(100);
    let value = httpdate::fmt_http_date(at);
    for date in [("x-date", "none"), ("date", "yesterday")] {
        let left = seconds(&[date, ("retry-after", &value)]).expect("a delay");
        assert!((90..=100).contains(&left), "{left}");
    }
}

#[test]
fn the_longest_valid_line_counts() {
    let lines =
        [("retry-after", "3"), ("retry-after", "soon"), ("retry-after", "8"), ("retry-after", "5")];
    assert_eq!(seconds(&lines), Some(8));
    let mixed = [DATE, ("retry-after", "3"), ("retry-after", "Tue, 15 Nov 1994 08:12:41 GMT")];
    assert_eq!(seconds(&mixed), Some(10));
}

#[test]
fn milliseconds_come_first_and_limits_last() {
    let limit = ("ratelimit", r#""default";r=0;t=30"#);
    for name in ["retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after"] {
        let request_bytes = retry_after(&headers(&[limit, ("retry-after", "9"), (name, "1500")]));
        assert_eq!(request_bytes, Some(Duration::from_millis(1500)));
        assert_eq!(seconds(&[limit, ("retry-after", "9"), (name, "-1")]), Some(9));
        assert_eq!(seconds(&[limit, (name, "1.5")]), Some(30));
        assert_eq!(seconds(&[(name, "99999999999999999999999")]), Some(u64::MAX / 1000));
    }
}

#[test]
fn an_exhausted_well_formed_limit_counts() {
    for (value, expected) in [
        (r#""default";r=0;t=30"#, Some(30)),
        (r#""default";r=0"#, None),
        (r#""default";r=50;t=30"#, None),
        (r#""burst";r=0;t=2, "day";r=0;t=600, "week";r=9;t=9999"#, Some(600)),
        (r#""default";pk=:cHJvdXQ=:;r=0;t=30"#, Some(30)),
        (r#""default";t=30"#, None),
        (r#""default";r=0;t=-30"#, None),
        (r#""default";r=-1;t=30"#, None),
        (r#""default";r=0;t=1.5"#, None),
        (r#""default";r=0;t="30""#, None),
        (r"default;r=0;t=30", None),
        (r#"("default");r=0;t=30"#, None),
        (r#""default";r=0;t=30, "#, None),
        ("limit=100, remaining=0, reset=30", None),
        ("", None),
    ] {
        assert_eq!(seconds(&[("ratelimit", value)]), expected, "{value}");
    }
    // Two lines form a list, and a cached response counts as absent.
    let (first, second) = (("ratelimit", r#""a";r=0;t=3"#), ("ratelimit", r#""b";r=0;t=4"#));
    assert_eq!(seconds(&[first, second]), Some(4));
    assert_eq!(seconds(&[first, ("ratelimit", "?")]), None);
    assert_eq!(seconds(&[first, ("age", "0")]), None);
    // Services disagree on the older headers.
    assert_eq!(seconds(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")]), None);
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        let parsed = RetryAfter::parse(&value);
        if let Some(RetryAfter::Delay(delay)) = parsed {
            let text = String::from_utf8(value).expect("digits");
            prop_assert!(text.trim_matches([' ', '\t']).bytes().all(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(delay.subsec_nanos(), 0);
        }
    }

    #[test]
    fn almost_valid_numbers_do_not_panic(value in "[ \t]*[-+]?[0-9]{0,30}([.,;e][0-9]*)?[ \t]*") {
        let expected = value.trim_matches([' ', '\t']);
        let digits = !expected.is_empty() && expected.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = RetryAfter::parse(value.as_bytes());
        prop_assert_eq!(parsed.is_some(), digits);
        let seconds = expected.parse().unwrap_or(u64::MAX);
        if digits {
            prop_assert_eq!(parsed, Some(RetryAfter::Delay(Duration::from_secs(seconds))));
        }
    }

    #[test]
    fn almost_valid_dates_do_not_panic(
        value in "(Mon|Tue|Sunday)[, ]{1,2}[0-9]{1,3}[ -](Nov|Feb|Xyz)[ -][0-9]{2,5} [0-9]{2}:[0-9]{2}:[0-9]{2}( GMT)?",
    ) {
        if let Some(parsed) = RetryAfter::parse(value.as_bytes()) {
            let _ = parsed.delay(SystemTime::now());
            let _ = parsed.delay(SystemTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn a_date_round_trips(now in 0_u64..250_000_000_000, delay in 0_u64..1_000_000) {
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let at = httpdate::fmt_http_date(from + Duration::from_secs(delay));
        let parsed = RetryAfter::parse(at.as_bytes()).expect("a date");
        prop_assert_eq!(parsed.delay(from), Duration::from_secs(delay));
        let (date, at) = (httpdate::fmt_http_date(from), at);
        prop_assert_eq!(seconds(&[("date", &date), ("retry-after", &at)]), Some(delay));
    }

    #[test]
    fn random_limits_do_not_panic(value in r#"("[a-z]{0,3}"|[a-z]|[0-9])(;[rtqx]=-?[0-9]{0,16}){0,4}(, ?"b";r=0;t=[0-9]{1,3})?"#) {
        let _ = seconds(&[("ratelimit", &value)]);
    }
}
