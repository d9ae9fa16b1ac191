//! Where a key stands, and what can be one (C40).

use axum::http::HeaderName;

use crate::server::Server;
use crate::raw_client::{request, send};
use crate::{counting, layer};

/// What a server answers to these lines, in order: the status, and how often its handler has run by then.
async fn answers(server: &Server, runs: &crate::Runs, heads: &[&[u8]]) -> Vec<(u16, usize)> {
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
async fn a_key_is_one_to_255_visible_characters() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    let long = |length| format!("idempotency-key: {}\r\n", "k".repeat(length));
    let heads: Vec<Vec<u8>> = vec![
        long(256).into(),
        b"idempotency-key:\r\n".to_vec(),
        b"idempotency-key: \"\"\r\n".to_vec(),
        b"idempotency-key: two words\r\n".to_vec(),
        b"idempotency-key: \"two words\"\r\n".to_vec(),
        "idempotency-key: schlüssel\r\n".into(),
        b"idempotency-key: \xff\xfe\r\n".to_vec(),
        b"idempotency-key: a\tb\r\n".to_vec(),
        b"idempotency-key: \"open\r\n".to_vec(),
        b"idempotency-key: \"one\" \"two\"\r\n".to_vec(),
        b"idempotency-key: \"bad\\escape\"\r\n".to_vec(),
        // Twice, even where it is the same.
        b"idempotency-key: k\r\nidempotency-key: k\r\n".to_vec(),
        b"idempotency-key: k\r\nidempotency-key: l\r\n".to_vec(),
        b"idempotency-key: k\r\nx-idempotency-key: l\r\n".to_vec(),
        b"x-idempotency-key: k\r\nx-idempotency-key: l\r\n".to_vec(),
        b"idempotency-key: k\r\nx-idempotency-key:\r\n".to_vec(),
        b"".to_vec(),
    ];
    let heads: Vec<&[u8]> = heads.iter().map(Vec::as_slice).collect();
    for (head, seen) in heads.iter().zip(answers(&server, &runs, &heads).await) {
        assert_eq!(seen, (400, 0), "{}", String::from_utf8_lossy(head));
    }
    let heads = [long(1), long(15), long(255), "idempotency-key: {tag}%00:*\r\n".to_owned()];
    let heads: Vec<&[u8]> = heads.iter().map(String::as_bytes).collect();
    let seen = answers(&server, &runs, &heads).await;
    assert_eq!(seen, [(200, 1), (200, 2), (200, 3), (200, 4)]);
}

#[tokio::test]
async fn control_characters_do_not_come_so_far() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    for head in [&b"idempotency-key: a\0b\r\n"[..], b"idempotency-key: a\rb\r\n"] {
        assert_eq!(answers(&server, &runs, &[head]).await, [(400, 0)]);
    }
}

#[tokio::test]
async fn both_spellings_and_both_headers_are_one_key() {
    let (api, runs) = counting(layer());
    let server = Server::start(api).await;
    let heads: [&[u8]; 5] = [
        b"idempotency-key: order-7\r\n",
        b"idempotency-key: \"order-7\"\r\n",
        b"x-idempotency-key: order-7\r\n",
        b"X-IDEMPOTENCY-KEY: \"order-7\"\r\n",
        b"idempotency-key: order-7\r\nx-idempotency-key: \"order-7\"\r\n",
    ];
    assert_eq!(answers(&server, &runs, &heads).await, [(200, 1); 5]);
    // A quotation mark or a backslash inside is a character like any other, and escaped where it is quoted.
    let heads: [&[u8]; 2] =
        [b"idempotency-key: a\"b\\c\r\n", b"idempotency-key: \"a\\\"b\\\\c\"\r\n"];
    assert_eq!(answers(&server, &runs, &heads).await, [(200, 2); 2]);
}

#[tokio::test]
async fn short_keys_are_refused_where_a_length_is_asked_for() {
    let (api, runs) = counting(layer().min_key_length(16));
    let server = Server::start(api).await;
    let heads: [&[u8]; 2] =
        [b"idempotency-key: 123456789012345\r\n", b"idempotency-key: 1234567890123456\r\n"];
    assert_eq!(answers(&server, &runs, &heads).await, [(400, 0), (200, 1)]);
}

#[tokio::test]
async fn other_headers_may_be_named() {
    let names = [HeaderName::from_static("paypal-request-id")];
    let (api, runs) = counting(layer().headers(names));
    let server = Server::start(api).await;
    let heads: [&[u8]; 3] =
        [b"paypal-request-id: 7\r\n", b"paypal-request-id: 7\r\n", b"idempotency-key: 7\r\n"];
    assert_eq!(answers(&server, &runs, &heads).await, [(200, 1), (200, 1), (400, 1)]);
}

#[tokio::test]
async fn without_a_key_nothing_is_protected_where_none_is_required() {
    let (api, runs) = counting(layer().required(false));
    let server = Server::start(api).await;
    let heads: [&[u8]; 5] =
        [b"", b"", b"idempotency-key: k\r\n", b"idempotency-key: k\r\n", b"idempotency-key:\r\n"];
    let expected = [(200, 1), (200, 2), (200, 3), (200, 3), (400, 3)];
    assert_eq!(answers(&server, &runs, &heads).await, expected);
}
