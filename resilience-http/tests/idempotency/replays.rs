//! The stored and the omitted parts of a response.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Request, StatusCode};
use bytes::Bytes;
use resilience::http::IdempotencyLayer;

use crate::raw_client::pay;
use crate::server::Server;
use crate::{Memory, api, ask, counting, layer, post};

fn headers(lines: &[(&'static str, &'static [u8])]) -> HeaderMap {
    let line = |(name, value): &(&'static str, &'static [u8])| {
        let value = HeaderValue::from_bytes(value).expect("a value");
        (HeaderName::from_static(name), value)
    };
    let mut headers = HeaderMap::new();
    lines.iter().map(line).for_each(|(name, value)| _ = headers.append(name, value));
    headers
}

#[tokio::test]
async fn status_headers_and_body_are_replayed() {
    let said = headers(&[
        ("content-type", b"image/png"),
        ("content-encoding", b"br"),
        ("content-language", b"de"),
        ("location", b"/payments/7"),
        ("etag", b"\"caf\xe9 \xff\""),
        ("link", b"</a>; rel=next"),
        ("link", b"</b>; rel=prev"),
        ("retry-after", b"0"),
        ("x-request-id", b"first"),
        ("set-cookie", b"session=secret"),
        ("connection", b"close, x-hop"),
        ("x-hop", b"1"),
        ("keep-alive", b"timeout=5"),
        ("date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
        ("x-other", b"1"),
        ("x-mine", b""),
        ("x-mine", b"2"),
    ]);
    let kept = ["x-mine", "x-hop", "set-cookie", "date", "keep-alive", "connection"];
    let layer = kept.into_iter().map(HeaderName::from_static).fold(layer(), |it, name| {
        // Even an explicit choice stores no header of a single response or connection.
        it.keep_header(name.clone()).keep_header(name)
    });
    let (api, runs) = api(layer, move |_| {
        (StatusCode::CREATED, said.clone(), Bytes::from_static(b"\x89PNG\0\xff"))
    });
    let server = Server::start(api).await;
    let first = pay(server.address, "k").await;
    assert_eq!(first.header("set-cookie"), Some("session=secret"));
    assert_eq!(first.header("x-request-id"), Some("first"));
    assert_eq!(first.header("idempotent-replayed"), None);

    let replay = pay(server.address, "k").await;
    assert_eq!((replay.status, replay.body.as_slice()), (201, &b"\x89PNG\0\xff"[..]));
    assert_eq!(runs.count(), 1);
    let expected: [(&str, &[&[u8]]); 14] = [
        ("idempotent-replayed", &[b"true"]),
        ("content-type", &[b"image/png"]),
        ("content-encoding", &[b"br"]),
        ("content-language", &[b"de"]),
        ("location", &[b"/payments/7"]),
        ("etag", &[b"\"caf\xe9 \xff\""]),
        ("link", &[b"</a>; rel=next", b"</b>; rel=prev"]),
        ("retry-after", &[b"0"]),
        ("x-original-request-id", &[b"first"]),
        ("x-mine", &[b"", b"2"]),
        // Headers of the server that sends the replay.
        ("content-length", &[b"6"]),
        ("connection", &[b"close"]),
        ("x-other", &[]),
        ("x-request-id", &[]),
    ];
    for (name, lines) in expected {
        assert_eq!(replay.all(name), lines, "{name}");
    }
    for name in ["set-cookie", "x-hop", "keep-alive"] {
        assert!(replay.all(name).is_empty(), "{name}");
    }
    let [date] = replay.all("date")[..] else { panic!("one date") };
    assert_ne!(date, b"Thu, 01 Jan 1970 00:00:00 GMT");
}

#[tokio::test]
async fn headers_that_describe_the_content_are_replayed() {
    let replayed = [
        ("cache-control", "no-store"),
        ("vary", "accept"),
        ("content-disposition", "attachment"),
        ("content-location", "/payments/7"),
        ("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("expires", "0"),
        ("repr-digest", "sha-256=:YQ==:"),
        ("content-digest", "sha-256=:YQ==:"),
        ("preference-applied", "return=minimal"),
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=1"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
    ];
    let (api, _) = api(layer(), move |_| (axum::response::AppendHeaders(replayed), "paid"));
    let server = Server::start(api).await;
    for is_replay in [false, true] {
        let response = pay(server.address, "k").await;
        assert_eq!(response.is_replay(), is_replay);
        for (name, value) in replayed {
            assert_eq!(response.header(name), Some(value), "{name}");
        }
    }
}

#[tokio::test]
async fn all_headers_but_some_can_be_replayed() {
    let names = ["x-private", "vary"].map(HeaderName::from_static);
    let said = headers(&[
        ("x-mine", b"1"),
        ("x-private", b"1"),
        ("vary", b"accept"),
        ("etag", b"\"1\""),
        ("set-cookie", b"session=secret"),
        ("www-authenticate", b"Basic"),
        ("authorization", b"secret"),
        ("x-request-id", b"first"),
        ("date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
    ]);
    let secret = ["set-cookie", "www-authenticate", "authorization"].map(HeaderName::from_static);
    let layer =
        secret.iter().cloned().fold(layer().keep_all_but(names), IdempotencyLayer::keep_header);
    let (api, _) = api(layer, move |_| (said.clone(), "paid"));
    ask(&api, post("k")).await;
    let replay = ask(&api, post("k")).await;
    assert!(replay.is_replay());
    assert_eq!(replay.header("x-mine"), Some("1"));
    assert_eq!(replay.header("etag"), Some("\"1\""));
    assert_eq!(replay.header("x-original-request-id"), Some("first"));
    let omitted = ["x-private", "vary", "x-request-id", "date"].into_iter();
    for name in omitted.chain(secret.iter().map(HeaderName::as_str)) {
        assert_eq!(replay.header(name), None, "{name}");
    }
}

/// Encodes the response for clients that accept the encoding, as a compression layer does.
async fn encode(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let accepts = request.headers().get("accept-encoding").is_some_and(|it| it == "x-rot13");
    let response = next.run(request).await;
    if !accepts {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 100).await.expect("a body");
    head.headers.remove("content-length");
    head.headers.insert("content-encoding", HeaderValue::from_static("x-rot13"));
    let rotate = |byte: &u8| if *byte < b'n' { byte + 13 } else { byte - 13 };
    axum::response::Response::from_parts(
        head,
        Body::from(body.iter().map(rotate).collect::<Vec<_>>()),
    )
}

#[tokio::test]
async fn a_replay_has_an_encoding_that_the_client_accepts() {
    for is_inside in [true, false] {
        let encoded = axum::middleware::from_fn(encode);
        let pay = axum::Router::new().route("/pay", axum::routing::post(async || "paid"));
        let api = if is_inside {
            pay.layer(encoded).layer(layer())
        } else {
            pay.layer(layer()).layer(encoded)
        };
        let server = Server::start(api).await;
        for (number, accepted) in ["x-rot13", "", "x-rot13", "x-rot13;q=0"].into_iter().enumerate()
        {
            let lines = format!("idempotency-key: k\r\naccept-encoding: {accepted}\r\n");
            let bytes = crate::raw_client::request(&lines, "10 EUR");
            let response = crate::raw_client::send(server.address, &bytes).await;
            assert_eq!(response.is_replay(), number > 0);
            let is_encoded = accepted == "x-rot13" && !is_inside;
            assert_eq!(response.text(), if is_encoded { "cnvq" } else { "paid" }, "{accepted}");
            let encoding = response.header("content-encoding");
            assert_eq!(encoding, is_encoded.then_some("x-rot13"));
        }
    }
}

#[tokio::test]
async fn short_responses_are_replayed() {
    let bodies: [&[u8]; 3] = [b"", b"x", b"\xff\0"];
    for body in bodies {
        for status in [StatusCode::OK, StatusCode::NO_CONTENT] {
            let (api, runs) = api(layer(), move |_| (status, Bytes::from_static(body)));
            let first = ask(&api, post("k")).await;
            let mut replay = ask(&api, post("k")).await;
            assert!(replay.is_replay());
            replay.headers.retain(|(name, _)| name != "idempotent-replayed");
            let plain = |(name, _): &(String, Vec<u8>)| name != "content-length";
            let of_first: Vec<_> = first.headers.iter().filter(|it| plain(it)).cloned().collect();
            assert_eq!((replay.status, &replay.body), (first.status, &first.body));
            replay.headers.retain(plain);
            assert_eq!(replay.headers, of_first);
            assert_eq!(runs.count(), 1);
        }
    }
}

#[tokio::test]
async fn on_replay_changes_replays_only() {
    let layer = layer().on_replay(|response| {
        let words = [response.body(), &b", again"[..]].concat();
        *response.body_mut() = words.into();
        response.headers_mut().insert("x-again", HeaderValue::from_static("1"));
    });
    let (api, _) = api(layer, |_| "paid");
    let server = Server::start(api).await;
    let first = pay(server.address, "k").await;
    assert_eq!((first.text(), first.header("x-again")), ("paid", None));
    for _ in 0..2 {
        let replay = pay(server.address, "k").await;
        assert_eq!((replay.text(), replay.header("x-again")), ("paid, again", Some("1")));
        assert_eq!(replay.header("content-length"), Some("11"));
    }
}

#[tokio::test]
async fn only_protected_methods_are_replayed() {
    let request = |method: &Method| {
        let request = Request::builder().method(method).uri("/pay");
        request.header("idempotency-key", "k").body(Body::empty()).expect("a request")
    };
    let methods = [Method::GET, Method::PUT, Method::DELETE, Method::POST, Method::PATCH];
    for method in &methods {
        let is_once = [Method::POST, Method::PATCH].contains(method);
        for is_reported in [false, true] {
            let (api, runs) = counting(layer().report_ignored(is_reported));
            ask(&api, request(method)).await;
            let second = ask(&api, request(method)).await;
            assert_eq!(
                (runs.count(), second.is_replay()),
                if is_once { (1, true) } else { (2, false) }
            );
            let status = second.header("idempotency-status");
            assert_eq!(status, (is_reported && !is_once).then_some("ignored"), "{method}");
        }
        let (api, runs) = counting(layer().methods(methods.clone()));
        ask(&api, request(method)).await;
        assert!(ask(&api, request(method)).await.is_replay());
        assert_eq!(runs.count(), 1);
    }
    // A request without a key has no ignored key, and an unprotected method ignores an invalid
    // key.
    let (api, runs) = counting(layer().report_ignored(true));
    let without = Request::get("/pay").body(Body::empty()).expect("a request");
    assert_eq!(ask(&api, without).await.header("idempotency-status"), None);
    let bad = Request::get("/pay").header("idempotency-key", "").body(Body::empty());
    assert_eq!(ask(&api, bad.expect("a request")).await.status, 200);
    assert_eq!(runs.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn responses_expire_after_the_ttl() {
    let (api, runs) = counting(layer().ttl(Duration::from_secs(3600)));
    ask(&api, post("k")).await;
    tokio::time::sleep(Duration::from_millis(3_599_990)).await;
    assert!(ask(&api, post("k")).await.is_replay());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let after = ask(&api, post("k")).await;
    assert_eq!((after.text(), after.is_replay(), runs.count()), ("run 2", false, 2));
}

#[tokio::test]
async fn endpoints_with_different_names_are_independent() {
    let store = Memory::default();
    let layer = || IdempotencyLayer::global("http", Memory::clone(&store));
    let (payments, paid) = counting(layer().name("payments"));
    let (refunds, refunded) = counting(layer().name("refunds"));
    for api in [&payments, &refunds, &payments, &refunds] {
        assert_eq!(ask(api, post("k")).await.text(), "run 1");
    }
    assert_eq!((paid.count(), refunded.count(), store.len()), (1, 1, 2));
}

#[tokio::test]
async fn the_handler_sets_content_length() {
    let (api, _) = api(layer(), |_| ([(header::CONTENT_LENGTH, "4")], "paid"));
    let server = Server::start(api).await;
    for replayed in [false, true] {
        let response = pay(server.address, "k").await;
        assert_eq!(response.is_replay(), replayed);
        assert_eq!(response.all("content-length"), [b"4"]);
    }
}
