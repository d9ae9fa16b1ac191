//! The parts of the fingerprint of a request.

use axum::body::Body;
use axum::http::{Method, Request};

use crate::raw_client::send;
use crate::server::Server;
use crate::{ask, counting, layer};

fn request(method: &Method, uri: &str, kind: Option<&str>, body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("idempotency-key", "k");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    request.body(Body::from(body.to_owned())).expect("a request")
}

#[tokio::test]
async fn method_path_query_content_type_and_body_count() {
    let json = Some("application/json");
    let (api, runs) = counting(layer());
    let first = || request(&Method::POST, "/pay?a=1&b=2", json, "{\"amount\":1}");
    assert_eq!(ask(&api, first()).await.status, 200);
    for other in [
        request(&Method::PATCH, "/pay?a=1&b=2", json, "{\"amount\":1}"),
        request(&Method::POST, "/refund?a=1&b=2", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?b=2&a=1", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay", json, "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", Some("text/plain"), "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", None, "{\"amount\":1}"),
        request(&Method::POST, "/pay?a=1&b=2", json, "{\"amount\": 1}"),
        request(&Method::POST, "/pay?a=1&b=2", json, ""),
    ] {
        let shown = format!("{other:?}");
        assert_eq!(ask(&api, other).await.status, 422, "{shown}");
    }
    // Additional headers do not count.
    let mut again = first();
    again.headers_mut().insert("x-attempt", "2".parse().expect("a value"));
    assert!(ask(&api, again).await.is_replay());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn fields_are_delimited() {
    let (api, _) = counting(layer());
    assert_eq!(ask(&api, request(&Method::POST, "/pay?a", None, "b")).await.status, 200);
    assert_eq!(ask(&api, request(&Method::POST, "/pay", None, "ab")).await.status, 422);
    assert_eq!(ask(&api, request(&Method::POST, "/pay?ab", None, "")).await.status, 422);
}

#[tokio::test]
async fn canonical_json_is_compared_by_value() {
    let json = Some("application/vnd.api+json; charset=utf-8");
    let (api, runs) = counting(layer().canonical_json(true));
    let ask = async |kind, body| ask(&api, request(&Method::POST, "/pay", kind, body)).await.status;
    assert_eq!(ask(json, "{\"to\":\"Ada\",\"amount\":[1,2]}").await, 200);
    assert_eq!(ask(json, " { \"amount\" : [1, 2], \"to\" : \"Ada\" }\n").await, 200);
    assert_eq!(runs.count(), 1);
    for other in [
        "{\"to\":\"Ada\",\"amount\":[2,1]}",
        "{\"to\":\"Ada\",\"amount\":\"[1,2]\"}",
        "{\"to\":\"Ada\"}",
        "{\"to\":\"Ada\",\"amount\":[1,2]",
    ] {
        assert_eq!(ask(json, other).await, 422, "{other}");
    }
    assert_eq!(ask(Some("text/plain"), "{\"to\":\"Ada\",\"amount\":[1,2]}").await, 422);
    assert_eq!(runs.count(), 1);
}

/// Returns the status of the second of two requests with these headers and bodies.
async fn second(
    layer: impl Fn() -> resilience::http::IdempotencyLayer<crate::Memory>,
    [first, second]: [(&[(&str, &str)], &str); 2],
) -> u16 {
    let (api, runs) = counting(layer());
    let mut status = 0;
    for (headers, body) in [first, second] {
        let request = Request::post("/pay").header("idempotency-key", "k");
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        status =
            ask(&api, request.body(Body::from(body.to_owned())).expect("a value")).await.status;
    }
    assert_eq!(runs.count(), 1);
    status
}

const TYPE: &str = "content-type";

#[tokio::test]
async fn the_form_of_a_content_type_does_not_count() {
    for [first, again] in [
        ["application/json", "application/json; charset=utf-8"],
        ["application/json", "Application/JSON"],
        ["application/json;charset=UTF-8", "application/json ; Charset=\"utf-8\""],
        ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8"],
        ["text/plain; a=1; b=2", "text/plain;b=2;a=1;"],
    ] {
        let status = second(layer, [(&[(TYPE, first)], "{}"), (&[(TYPE, again)], "{}")]).await;
        assert_eq!(status, 200, "{first} and {again}");
    }
    for [first, other] in [
        ["application/json", "application/json; charset=utf-16"],
        ["text/plain", "text/plain; charset=iso-8859-1"],
        ["text/plain; a=1", "text/plain; a=2"],
        ["application/json", "application/xml"],
        ["application/json", "application json"],
        ["application/json; version=1", "application/json; version=2"],
    ] {
        let status = second(layer, [(&[(TYPE, first)], "{}"), (&[(TYPE, other)], "{}")]).await;
        assert_eq!(status, 422, "{first} and {other}");
    }
}

#[tokio::test]
async fn a_second_content_type_counts() {
    let one: &[_] = &[(TYPE, "application/json")];
    let two: &[_] = &[(TYPE, "application/json"), (TYPE, "application/xml")];
    assert_eq!(second(layer, [(one, "{}"), (two, "{}")]).await, 422);
    assert_eq!(second(layer, [(two, "{}"), (one, "{}")]).await, 422);
    assert_eq!(second(layer, [(two, "{}"), (two, "{}")]).await, 200);
}

/// The target overrules the `Host` line, but a handler can read the line.
#[tokio::test]
async fn every_host_of_a_request_counts() {
    let start = || async {
        let (api, runs) = counting(layer());
        (Server::start(api).await, runs)
    };
    let request = |target: &str, hosts: &[&str]| {
        let hosts: Vec<_> = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let hosts = hosts.concat();
        let key = "idempotency-key: k\r\nconnection: close\r\n";
        format!("POST {target} HTTP/1.1\r\n{hosts}{key}content-length: 0\r\n\r\n")
    };
    for (first, other, status) in [
        (request("http://a.example/pay", &["a.example"]), request("/pay", &["A.example:80"]), 200),
        (
            request("http://a.example/pay", &["a.example"]),
            request("http://a.example/pay", &["b.example"]),
            422,
        ),
        (request("/pay", &["a.example"]), request("/pay", &["a.example", "b.example"]), 422),
        (request("/pay", &["127.0.0.1"]), request("/pay", &["127.0.0.1", "b.example"]), 422),
        (request("/pay", &["10.0.0.1"]), request("http://10.0.0.2/pay", &["localhost:1"]), 200),
    ] {
        let (server, runs) = start().await;
        assert_eq!(send(server.address, first.as_bytes()).await.status, 200);
        assert_eq!(send(server.address, other.as_bytes()).await.status, status, "{first}{other}");
        assert_eq!(runs.count(), 1);
    }
}

/// Equal bytes of another part of a document are another request, and so is another method in the
/// headers that frameworks read.
#[tokio::test]
async fn the_content_range_and_a_method_in_a_header_count() {
    let plain: &[_] = &[(TYPE, "text/plain")];
    for name in ["content-range", "x-http-method-override", "x-http-method", "x-method-override"] {
        let one: &[_] = &[(TYPE, "text/plain"), (name, "bytes 0-0/9")];
        let other: &[_] = &[(TYPE, "text/plain"), (name, "bytes 1-1/9")];
        assert_eq!(second(layer, [(one, "a"), (other, "a")]).await, 422, "{name}");
        assert_eq!(second(layer, [(plain, "a"), (other, "a")]).await, 422, "{name}");
        assert_eq!(second(layer, [(one, "a"), (one, "a")]).await, 200, "{name}");
    }
    // A chosen fingerprint includes the method.
    let chosen = || layer().fingerprint(|_, fingerprint| fingerprint);
    let one: &[_] = &[("x-http-method-override", "PUT")];
    assert_eq!(second(chosen, [(plain, "a"), (one, "a")]).await, 422);
}

#[tokio::test]
async fn the_content_encoding_counts() {
    let plain: &[_] = &[(TYPE, "text/plain")];
    let gzip: &[_] = &[(TYPE, "text/plain"), ("content-encoding", "gzip")];
    let identity: &[_] = &[(TYPE, "text/plain"), ("content-encoding", "Identity")];
    assert_eq!(second(layer, [(plain, "a"), (gzip, "a")]).await, 422);
    assert_eq!(second(layer, [(plain, "a"), (identity, "a")]).await, 200);
    assert_eq!(second(layer, [(gzip, "a"), (gzip, "a")]).await, 200);
}

fn form(boundary: &str, amount: &str) -> String {
    format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"amount\"\r\n\r\n{amount}\r\n--{boundary}\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\n\r\n--{boundary}--\r\n"
    )
}

#[tokio::test]
async fn the_boundary_of_a_form_does_not_count() {
    let kind = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
    let (one, two) = (kind("one"), kind("\"t:w o\""));
    let status = async |amounts: [&str; 2]| {
        let bodies = [form("one", amounts[0]), form("t:w o", amounts[1])];
        second(layer, [(&[(TYPE, &one)], &bodies[0]), (&[(TYPE, &two)], &bodies[1])]).await
    };
    assert_eq!(status(["10", "10"]).await, 200);
    assert_eq!(status(["10", "11"]).await, 422);
    assert_eq!(status(["10\r\n--two", "10\r\n--two"]).await, 200);
    // A body that does not end, or that does not match its boundary, is compared by its bytes.
    for [first, other] in [["--one\r\n\r\n10", "--t:w o\r\n\r\n10"], ["10", "10"]] {
        let status = second(layer, [(&[(TYPE, &one)], first), (&[(TYPE, &two)], other)]).await;
        assert_eq!(status, 422, "{first}");
    }
    // The number of parts counts, and not only their content.
    let joined = "--one\r\na\r\n--two\r\nb\r\n--one--";
    let split = "--two\r\na\r\n--two\r\nb\r\n--two--";
    let two = kind("two");
    let status = second(layer, [(&[(TYPE, &one)], joined), (&[(TYPE, &two)], split)]).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_function_chooses_the_parts_of_a_request() {
    let by_first_line = || {
        layer().fingerprint(|request, fingerprint| {
            let line = request.body().split(|byte| *byte == b'\n').next().unwrap_or_default();
            fingerprint.bytes(line)
        })
    };
    let plain: &[(&str, &str)] = &[];
    let typed: &[_] = &[(TYPE, "text/plain"), ("host", "other.example")];
    assert_eq!(second(by_first_line, [(plain, "10\n12:00"), (typed, "10\n12:01")]).await, 200);
    assert_eq!(second(by_first_line, [(plain, "10\n12:00"), (plain, "11\n12:00")]).await, 422);
    // Method and path always count.
    let (api, runs) = counting(layer().fingerprint(|_, fingerprint| fingerprint));
    assert_eq!(ask(&api, request(&Method::POST, "/pay", None, "1")).await.status, 200);
    assert_eq!(ask(&api, request(&Method::POST, "/pay?a=1", None, "2")).await.status, 200);
    assert_eq!(ask(&api, request(&Method::POST, "/refund", None, "1")).await.status, 422);
    assert_eq!(ask(&api, request(&Method::PATCH, "/pay", None, "1")).await.status, 422);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn invalid_json_is_compared_by_bytes() {
    let (api, runs) = counting(layer().canonical_json(true));
    let ask = async |body| {
        ask(&api, request(&Method::POST, "/pay", Some("application/json"), body)).await.status
    };
    assert_eq!([ask("{a: 1}").await, ask("{a:1}").await, ask("{a: 1}").await], [200, 422, 200]);
    assert_eq!(runs.count(), 1);
}
