//! Idempotent methods and client keys.

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, Method};
use resilience::http::{IDEMPOTENCY_KEY, IdempotencyKey, KeyError, is_idempotent};

#[test]
fn an_idempotent_method_or_a_key_makes_a_request_idempotent() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"] {
        let method = method.parse().expect("a method");
        assert!(is_idempotent(&method, &HeaderMap::new()), "{method}");
    }
    for method in [Method::POST, Method::PATCH, Method::CONNECT] {
        let mut headers = HeaderMap::new();
        assert!(!is_idempotent(&method, &headers), "{method}");
        assert!(IdempotencyKey::new().apply(&mut headers));
        assert!(is_idempotent(&method, &headers), "{method}");
        let mut headers = HeaderMap::new();
        headers.insert("x-idempotency-key", HeaderValue::from_static("order-7"));
        assert!(is_idempotent(&method, &headers), "{method}");
        assert!(!IdempotencyKey::new().apply(&mut headers));
        assert_eq!(headers.len(), 1);
    }
}

#[test]
fn a_blank_key_is_no_key() {
    for blank in ["", "  ", "\t", r#""""#, r#"" ""#, r#""";p=1"#] {
        for name in ["idempotency-key", "x-idempotency-key"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(blank));
            assert!(!is_idempotent(&Method::POST, &headers), "{name}: {blank:?}");
            let key = IdempotencyKey::new();
            assert!(key.apply(&mut headers), "{name}: {blank:?}");
            assert_eq!(headers.len(), 1);
            assert_eq!(headers[IDEMPOTENCY_KEY], key.as_str());
            assert!(is_idempotent(&Method::POST, &headers));
        }
    }
}

#[test]
fn a_header_that_changes_the_method_counts_as_the_method() {
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let with = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            headers
        };
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            for changed in ["POST", "patch", "", "no method"] {
                assert!(!is_idempotent(&method, &with(changed)), "{name}: {changed}");
            }
            for same in ["PUT", "delete", " GET "] {
                assert!(is_idempotent(&method, &with(same)), "{name}: {same}");
            }
        }
        // A server may ignore the header.
        assert!(!is_idempotent(&Method::POST, &with("PUT")));
    }
}

#[test]
fn a_new_key_is_a_unique_uuid() {
    let keys: Vec<_> = (0..1000).map(|_| IdempotencyKey::new()).collect();
    for key in &keys {
        let groups: Vec<_> = key.as_str().split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']), "{key}");
        assert!(key.as_str().bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()));
    }
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
}

#[test]
fn apply_keeps_an_existing_key() {
    let mut headers = HeaderMap::new();
    headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("mine"));
    assert!(!IdempotencyKey::new().apply(&mut headers));
    assert_eq!(headers.get_all(IDEMPOTENCY_KEY).iter().collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn a_key_from_a_text() {
    let key = IdempotencyKey::try_from("order-7").expect("a key");
    assert_eq!(key.to_string(), "order-7");
    assert_eq!(key.clone().quoted().as_str(), r#""order-7""#);
    assert_eq!(key.clone().quoted().quoted(), key.quoted());
    for (text, error) in [
        ("", KeyError::Empty),
        (&"x".repeat(256), KeyError::TooLong),
        ("  ", KeyError::Empty),
        ("naïve", KeyError::NotPrintable),
        ("a\nb", KeyError::NotPrintable),
        ("a\tb", KeyError::NotPrintable),
        (r#""""#, KeyError::Empty),
        (r#""  ""#, KeyError::Empty),
    ] {
        assert_eq!(IdempotencyKey::try_from(text), Err(error), "{text:?}");
    }
    let message = KeyError::NotPrintable.to_string();
    assert_eq!(message, "the idempotency key has characters other than printable ASCII");
}

#[test]
fn quotation_marks_and_backslashes_are_escaped() {
    let value = |text| IdempotencyKey::try_from(text).expect("a key").to_string();
    let quoted = |text| IdempotencyKey::try_from(text).expect("a key").quoted().to_string();
    assert_eq!((value(r#"a"b\c"#), quoted(r#"a"b\c"#)), (r#"a"b\c"#.into(), r#""a\"b\\c""#.into()));
    // A text in quotation marks is a quoted key. Any other leading quotation mark is escaped.
    assert_eq!(value(r#""order-7""#), r#""order-7""#);
    assert_eq!(value(r#""order"#), r#""\"order""#);
    // A space needs quotation marks.
    for (text, sent) in [
        ("order 7", r#""order 7""#),
        (" order", r#"" order""#),
        (r#""order 7""#, r#""order 7""#),
        (r#"the "best" order"#, r#""the \"best\" order""#),
    ] {
        assert_eq!((value(text), quoted(text)), (sent.to_owned(), sent.to_owned()));
    }
    // The length counts characters of the key, without quotation marks and escapes.
    assert_eq!(value(&format!("{}  ", "\\".repeat(253))).len(), 2 + 2 * 253 + 2);
}
