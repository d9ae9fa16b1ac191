//! gRPC-Web: the status is in the last frame of the body, as `tonic-web` writes it.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnInterrupted;

use crate::raw_client::{RawResponse, request, send};
use crate::server::Server;
use crate::{Memory, Runs, layer};

const TYPES: [&str; 7] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "Application/gRPC-Web+Proto",
    "application/grpc-web+json; charset=utf-8",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "APPLICATION/GRPC-WEB-TEXT",
];

fn frame(flags: u8, content: &str) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a short frame").to_be_bytes();
    [&[flags][..], &length, content.as_bytes()].concat()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |index| u32::from(group.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * index)) as usize & 63];
            text.push(if index > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

/// Returns a body with a message and this status, each frame encoded on its own for the text form.
fn body(content_type: &str, run: usize, status: &str) -> Vec<u8> {
    let frames = [frame(0, &format!("run {run}")), frame(0x80, status)];
    if content_type.to_lowercase().contains("-text") {
        frames.map(|frame| base64(&frame)).concat().into_bytes()
    } else {
        frames.concat()
    }
}

/// Returns the responses to two calls of a server with this body, and the number of runs.
async fn two_calls(
    layer: IdempotencyLayer<Memory>,
    content_type: &'static str,
    headers: HeaderMap,
    body: impl Fn(usize) -> Vec<u8> + Clone + Send + Sync + 'static,
) -> ([RawResponse; 2], usize) {
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        let run = counted.increment();
        let mut response = Response::new(Body::from(Bytes::from(body(run))));
        *response.headers_mut() = headers.clone();
        let content_type = content_type.parse().expect("a value");
        response.headers_mut().insert("content-type", content_type);
        response
    };
    let server = Server::start(Router::new().route("/pay", on_post(handler)).layer(layer)).await;
    let lines = format!("content-type: {content_type}\r\nidempotency-key: k\r\n");
    let bytes = request(&lines, "order");
    let responses = [send(server.address, &bytes).await, send(server.address, &bytes).await];
    (responses, runs.count())
}

#[tokio::test]
async fn a_successful_call_is_stored() {
    for content_type in TYPES {
        for status in ["grpc-status:0\r\n", "grpc-message: ok\r\nGrpc-Status: 0\r\n"] {
            let (responses, runs) =
                two_calls(layer(), content_type, HeaderMap::new(), move |run| {
                    body(content_type, run, status)
                })
                .await;
            assert_eq!(runs, 1, "{content_type}");
            assert_eq!(responses[0].body, responses[1].body);
            assert!(!responses[0].is_replay() && responses[1].is_replay());
        }
    }
}

#[tokio::test]
async fn the_status_in_the_body_decides() {
    for content_type in TYPES {
        for (status, is_stored) in [
            ("grpc-status:3\r\n", true),
            ("grpc-status:9\r\n", true),
            ("grpc-status:13\r\n", false),
            ("grpc-status:14\r\n", false),
            ("x-grpc-status:0\r\n", false),
        ] {
            let (responses, runs) =
                two_calls(layer(), content_type, HeaderMap::new(), move |run| {
                    body(content_type, run, status)
                })
                .await;
            assert_eq!(runs, if is_stored { 1 } else { 2 }, "{content_type} {status}");
            assert_eq!(responses[1].is_replay(), is_stored);
        }
    }
}

#[tokio::test]
async fn a_status_in_the_headers_counts() {
    let headers: HeaderMap =
        [("grpc-status".parse().expect("a name"), "5".parse().expect("a value"))]
            .into_iter()
            .collect();
    let (responses, runs) =
        two_calls(layer(), "application/grpc-web+proto", headers, |_| Vec::new()).await;
    assert_eq!((runs, responses[1].header("grpc-status")), (1, Some("5")));
}

/// A compressed body hides the status, so no repeated request may run.
#[tokio::test]
async fn an_encoded_body_is_stored() {
    let headers: HeaderMap =
        [("content-encoding".parse().expect("a name"), "br".parse().expect("a value"))]
            .into_iter()
            .collect();
    let (responses, runs) =
        two_calls(layer(), "application/grpc-web", headers, |_| vec![0x1b, 0, 0]).await;
    assert_eq!((runs, responses[1].is_replay()), (1, true));
}

#[tokio::test]
async fn a_malformed_body_has_an_unknown_status() {
    for content_type in ["application/grpc-web", "application/grpc-web-text"] {
        for body in
            [&b""[..], b"\0\0\0\0", b"\x80\xff\xff\xff\xff", b"AAA", b"A===", b"\xff\xff\xff\xff"]
        {
            let (_, runs) =
                two_calls(layer(), content_type, HeaderMap::new(), move |_| body.to_vec()).await;
            assert_eq!(runs, 2, "{body:?}");
        }
    }
}

#[tokio::test]
async fn a_problem_has_the_content_type_of_the_call() {
    for (content_type, expected) in [
        ("application/grpc-web+proto", "application/grpc-web+proto"),
        ("application/grpc-web-text", "application/grpc-web-text+proto"),
    ] {
        let strict = layer().on_interrupted(OnInterrupted::Unknown);
        let (responses, runs) = two_calls(strict, content_type, HeaderMap::new(), move |run| {
            body(content_type, run, "grpc-status:14\r\n")
        })
        .await;
        assert_eq!((responses[1].status, runs), (200, 1));
        assert_eq!(responses[1].header("content-type"), Some(expected));
        assert_eq!(responses[1].header("grpc-status"), Some("13"));
    }
}

/// A name that only starts like gRPC belongs to a plain endpoint.
#[tokio::test]
async fn another_type_is_plain_http() {
    for content_type in ["application/grpc-anything", "application/grpcx", "application/grpc-webx"]
    {
        let (api, runs) = crate::counting(layer());
        let server = Server::start(api).await;
        let response =
            send(server.address, &request(&format!("content-type: {content_type}\r\n"), "order"))
                .await;
        assert_eq!((response.status, response.problem().as_deref()), (400, Some("missing-key")));
        assert_eq!(runs.count(), 0);
    }
}
