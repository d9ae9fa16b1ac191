//! Methods and keys.

use std::collections::HashSet;

use http::{HeaderMap, HeaderValue, Method};
use resilience::http::{IDEMPOTENCY_KEY, IdempotencyKey, is_idempotent};

#[test]
fn methods_and_keys_make_a_request_repeatable() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"] {
        let method = method.parse().expect("a method");
        assert!(is_idempotent(&method, &HeaderMap::new()), "{method}");
    }
    for method in [Method::POST, Method::PATCH, Method::CONNECT] {
        let mut headers = HeaderMap::new();
        assert!(!is_idempotent(&method, &headers), "{method}");
        assert!(IdempotencyKey::new().apply(&mut headers));
        assert!(is_idempotent(&method, &headers), "{method}");
    }
}

#[test]
fn a_key_is_a_uuid_that_nobody_else_has() {
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
fn what_is_there_stays() {
    let mut headers = HeaderMap::new();
    headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_static("mine"));
    assert!(!IdempotencyKey::new().apply(&mut headers));
    assert_eq!(headers.get_all(IDEMPOTENCY_KEY).iter().collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn a_key_of_ones_own() {
    let key = IdempotencyKey::try_from("order-7").expect("a key");
    assert_eq!(key.to_string(), "order-7");
    assert_eq!(key.clone().quoted().as_str(), r#""order-7""#);
    assert_eq!(key.clone().quoted().quoted(), key.quoted());
    for wrong in ["", "  ", "naïve", "a\nb", "a\tb", &"x".repeat(256)] {
        assert!(IdempotencyKey::try_from(wrong).is_err(), "{wrong:?}");
    }
}
