//! The headers of a key, and the characters of a key.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use proptest::prelude::*;
use resilience::http::{IDEMPOTENCY_KEY, IdempotencyKey};

use crate::raw_client::{request, send};
use crate::server::Server;
use crate::{ask, counting, layer};

/// Returns the status and the number of handler runs after each of these header lines.
async fn responses(server: &Server, runs: &crate::Runs, heads: &[&[u8]]) -> Vec<(u16, usize)> {
    let mut seen = Vec::new();
    for head in heads {
        let mut bytes = request("", "10 EUR");
        let at = crate::raw_client::position(&bytes, b"\r\n\r\n").expect("a head") + 2;
        bytes.splice(at..at, head.iter().copied());
        seen.push((send(server.address, &bytes).await.status, runs.count()));
    }
    seen
}

#[tokio::test]
async fn a_key_has_1_to_255_printable_characters() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    let long = |length| format!("idempotency-key: {}\r\n", "k".repeat(length));
    let heads: Vec<Vec<u8>> = vec![
        long(256).into(),
        b"idempotency-key:\r\n".to_vec(),
        b"idempotency-key: \"\"\r\n".to_vec(),
        b"idempotency-key: two words\r\n".to_vec(),
        b"idempotency-key: \"  \"\r\n".to_vec(),
        b"idempotency-key: \"a\tb\"\r\n".to_vec(),
        "idempotency-key: \"schlüssel\"\r\n".into(),
        "idempotency-key: schlüssel\r\n".into(),
        b"idempotency-key: \xff\xfe\r\n".to_vec(),
        b"idempotency-key: a\tb\r\n".to_vec(),
        b"idempotency-key: \"open\r\n".to_vec(),
        b"idempotency-key: \"one\" \"two\"\r\n".to_vec(),
        b"idempotency-key: \"bad\\escape\"\r\n".to_vec(),
        // Two lines, even with equal keys.
        b"idempotency-key: k\r\nidempotency-key: k\r\n".to_vec(),
        b"idempotency-key: k\r\nidempotency-key: l\r\n".to_vec(),
        b"idempotency-key: k\r\nx-idempotency-key: l\r\n".to_vec(),
        b"x-idempotency-key: k\r\nx-idempotency-key: l\r\n".to_vec(),
        b"idempotency-key: k\r\nx-idempotency-key:\r\n".to_vec(),
        b"".to_vec(),
    ];
    let heads: Vec<&[u8]> = heads.iter().map(Vec::as_slice).collect();
    for (head, seen) in heads.iter().zip(responses(&server, &runs, &heads).await) {
        assert_eq!(seen, (400, 0), "{}", String::from_utf8_lossy(head));
    }
    let heads = [
        long(1),
        long(15),
        long(255),
        "idempotency-key: {tag}%00:*\r\n".to_owned(),
        "idempotency-key: \"two words\"\r\n".to_owned(),
        "idempotency-key: \" two words\"\r\n".to_owned(),
        format!("idempotency-key: \"{}\"\r\n", "\\\\".repeat(255)),
    ];
    let heads: Vec<&[u8]> = heads.iter().map(String::as_bytes).collect();
    let seen = responses(&server, &runs, &heads).await;
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7].map(|runs| (200, runs)));
}

#[tokio::test]
async fn control_characters_are_rejected() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    for head in [&b"idempotency-key: a\0b\r\n"[..], b"idempotency-key: a\rb\r\n"] {
        assert_eq!(responses(&server, &runs, &[head]).await, [(400, 0)]);
    }
}

#[tokio::test]
async fn quoted_and_bare_keys_are_equal() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    let heads: [&[u8]; 5] = [
        b"idempotency-key: order-7\r\n",
        b"idempotency-key: \"order-7\"\r\n",
        b"x-idempotency-key: order-7\r\n",
        b"X-IDEMPOTENCY-KEY: \"order-7\"\r\n",
        b"idempotency-key: order-7\r\nx-idempotency-key: \"order-7\"\r\n",
    ];
    assert_eq!(responses(&server, &runs, &heads).await, [(200, 1); 5]);
    // A quotation mark or a backslash inside a key is an ordinary character, with an escape in the
    // quoted form.
    let heads: [&[u8]; 2] =
        [b"idempotency-key: a\"b\\c\r\n", b"idempotency-key: \"a\\\"b\\\\c\"\r\n"];
    assert_eq!(responses(&server, &runs, &heads).await, [(200, 2); 2]);
}

#[tokio::test]
async fn min_key_length_rejects_short_keys() {
    let (api, runs) = counting(layer().min_key_length(16));
    let server = Server::start(api).await;
    let heads: [&[u8]; 2] =
        [b"idempotency-key: 123456789012345\r\n", b"idempotency-key: 1234567890123456\r\n"];
    assert_eq!(responses(&server, &runs, &heads).await, [(400, 0), (200, 1)]);
}

#[tokio::test]
async fn the_rule_of_the_endpoint_rejects_keys() {
    let (api, runs) = counting(layer().key_rule(|key| key.starts_with("order ")));
    let server = Server::start(api).await;
    let heads: [&[u8]; 3] = [
        b"idempotency-key: order-7\r\n",
        b"idempotency-key: \"order 7\"\r\n",
        b"idempotency-key: \"order\t7\"\r\n",
    ];
    assert_eq!(responses(&server, &runs, &heads).await, [(400, 0), (200, 1), (400, 1)]);
}

#[tokio::test]
async fn headers_can_be_configured() {
    let names = [HeaderName::from_static("paypal-request-id")];
    let (api, runs) = counting(layer().headers(names));
    let server = Server::start(api).await;
    let heads: [&[u8]; 3] =
        [b"paypal-request-id: 7\r\n", b"paypal-request-id: 7\r\n", b"idempotency-key: 7\r\n"];
    assert_eq!(responses(&server, &runs, &heads).await, [(200, 1), (200, 1), (400, 1)]);
}

#[tokio::test]
async fn without_required_keys_a_request_runs_unprotected() {
    let (api, runs) = counting(layer().required(false));
    let server = Server::start(api).await;
    let heads: [&[u8]; 5] =
        [b"", b"", b"idempotency-key: k\r\n", b"idempotency-key: k\r\n", b"idempotency-key:\r\n"];
    let expected = [(200, 1), (200, 2), (200, 3), (200, 3), (400, 3)];
    assert_eq!(responses(&server, &runs, &heads).await, expected);
}

proptest! {
    #[test]
    fn the_server_accepts_every_client_key(text in "[ -~]{1,255}|\"[ -~]{0,5}\"?|[\"\\\\a ]{1,5}") {
        let Ok(key) = IdempotencyKey::try_from(text.as_str()) else {
            // Only a blank key breaks the rule, quoted or not.
            prop_assert!(text.trim_matches(['"', ' ']).is_empty(), "{text}");
            return Ok(());
        };
        for key in [key.clone(), key.quoted()] {
            prop_assert_eq!(status_of(&key), 200, "{}", key);
        }
    }

    #[test]
    fn the_client_makes_every_key_that_the_server_accepts(text in "[ -~äé\t]{0,9}|[ -~]{250,260}") {
        let is_accepted = HeaderValue::from_str(&text).is_ok_and(|value| status_of(value) == 200);
        let key = IdempotencyKey::try_from(text.as_str());
        if is_accepted {
            prop_assert_eq!(key.as_ref().map(IdempotencyKey::as_str), Ok(&*text));
        } else {
            // The client adds the missing quotation marks.
            prop_assert!(key.is_err() || key.is_ok_and(|key| key.as_str() != text), "{:?}", text);
        }
    }
}

/// Returns the status of a request with this key.
fn status_of(key: impl Into<HeaderValue>) -> u16 {
    let (api, _) = counting(layer());
    let mut request = Request::post("/pay").body(Body::from("10 EUR")).expect("a request");
    request.headers_mut().insert(IDEMPOTENCY_KEY, key.into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(ask(&api, request)).status
}
