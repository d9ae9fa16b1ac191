//! Requests and responses at the edges of HTTP, as raw bytes over a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body::Frame;
use resilience::http::IdempotencyLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::raw_client::{TIME_LIMIT, exchange, position, send};
use crate::server::Server;
use crate::{Memory, Runs, api, counting, layer};

async fn start() -> (Server, Runs) {
    let (api, runs) = counting(layer());
    (Server::start(api).await, runs)
}

/// Reads until `part` arrives.
async fn read_until(stream: &mut TcpStream, part: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while position(&bytes, part).is_none() {
        let read = timeout(TIME_LIMIT, stream.read_buf(&mut bytes)).await;
        assert_ne!(read.expect("bytes in time").expect("a connection"), 0, "{bytes:?}");
    }
    bytes
}

#[tokio::test]
async fn every_framing_of_a_body_is_the_same_request() {
    let (server, runs) = start().await;
    let head = "host: api\r\nconnection: close\r\nidempotency-key: k\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n");
    for (index, request) in [
        format!("POST /pay HTTP/1.1\r\n{head}content-length: 6\r\n\r\n10 EUR"),
        format!("POST /pay HTTP/1.1\r\n{chunked}\r\n6\r\n10 EUR\r\n0\r\n\r\n"),
        format!("POST /pay HTTP/1.1\r\n{chunked}\r\n1;ext=\"x\"\r\n1\r\n05\r\n0 EUR\r\n0\r\n\r\n"),
        format!("POST /pay HTTP/1.1\r\n{chunked}trailer: x-sum\r\n\r\n6\r\n10 EUR\r\n0\r\nx-sum: 7\r\n\r\n"),
        format!("POST http://api/pay HTTP/1.1\r\n{head}content-length: 6\r\n\r\n10 EUR"),
        format!("POST http://API:80/pay HTTP/1.1\r\n{head}content-length: 6\r\n\r\n10 EUR"),
        format!("POST /pay HTTP/1.0\r\n{head}content-length: 6\r\n\r\n10 EUR"),
    ]
    .iter()
    .enumerate()
    {
        let response = send(server.address, request.as_bytes()).await;
        assert_eq!((response.status, response.is_replay()), (200, index > 0), "{request}");
        assert_eq!(response.text(), "run 1");
    }
    assert_eq!(runs.count(), 1);
}

/// HTTP/1.0 without a `Host` is a request without a name.
#[tokio::test]
async fn a_request_without_a_host_is_handled() {
    let (server, runs) = start().await;
    let bytes = b"POST /pay HTTP/1.0\r\nidempotency-key: k\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(send(server.address, bytes).await.text(), "run 1");
    assert!(send(server.address, bytes).await.is_replay());
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn pipelined_requests_with_one_key_run_once() {
    let (server, runs) = start().await;
    let one =
        "POST /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k\r\ncontent-length: 2\r\n\r\nhi";
    let last = one.replace("host: api", "host: api\r\nconnection: close");
    let bytes = exchange(server.address, format!("{one}{one}{last}").as_bytes()).await;
    let text = String::from_utf8(bytes).expect("text");
    assert_eq!(text.matches("HTTP/1.1 200").count(), 3, "{text}");
    assert_eq!(text.matches("idempotent-replayed: true").count(), 2);
    assert_eq!((text.matches("run 1").count(), runs.count()), (3, 1));
}

#[tokio::test]
async fn a_client_that_expects_100_sends_no_body_for_a_rejected_key() {
    let (server, runs) = start().await;
    let head = |key: &str| {
        format!(
            "POST /pay HTTP/1.1\r\nhost: api\r\nexpect: 100-continue\r\ncontent-length: 6\r\n{key}\r\n"
        )
    };
    let mut stream = TcpStream::connect(server.address).await.expect("a server");
    stream.write_all(head("").as_bytes()).await.expect("the server reads");
    let rejected = read_until(&mut stream, b"missing-key").await;
    assert!(rejected.starts_with(b"HTTP/1.1 400"));

    let mut stream = TcpStream::connect(server.address).await.expect("a server");
    stream.write_all(head("idempotency-key: k\r\n").as_bytes()).await.expect("the server reads");
    read_until(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(runs.count(), 0);
    stream.write_all(b"10 EUR").await.expect("the server reads");
    read_until(&mut stream, b"run 1").await;
    assert_eq!(runs.count(), 1);
}

/// The layer protects POST and PATCH, and a method in small letters is another method.
#[tokio::test]
async fn other_methods_pass_without_protection() {
    let (server, runs) = start().await;
    for (index, method) in
        ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "QUERY", "post"].iter().enumerate()
    {
        let request = format!(
            "{method} /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k\r\nconnection: close\r\n\r\n"
        );
        let bytes = exchange(server.address, request.as_bytes()).await;
        assert!(bytes.starts_with(b"HTTP/1.1 200"), "{method}");
        assert_eq!(runs.count(), index + 1);
    }
}

#[tokio::test]
async fn unusual_key_headers_are_rejected_before_the_handler() {
    let (server, runs) = start().await;
    let long = "k".repeat(60_000);
    for (lines, statuses) in [
        (format!("idempotency-key: {long}"), &[400, 431][..]),
        ("idempotency-key: a\r\nidempotency-key: b".into(), &[400]),
        ("idempotency-key: a\r\nidempotency-key: a".into(), &[400]),
        ("idempotency-key: a, b".into(), &[400]),
        ("idempotency-key:".into(), &[400]),
        ("idempotency-key: \"\"".into(), &[400]),
        ("idempotency-key: \"open".into(), &[400]),
        ("idempotency-key: k\u{fc}".into(), &[400]),
        ("idempotency-key: a\r\n b".into(), &[400]),
        ("idempotency-key : a".into(), &[400]),
    ] {
        let request = format!(
            "POST /pay HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\nconnection: close\r\n{lines}\r\n\r\n"
        );
        let response = send(server.address, request.as_bytes()).await;
        assert!(statuses.contains(&response.status), "{} {lines:.40}", response.status);
    }
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_within_the_body_starts_nothing() {
    let (server, runs) = start().await;
    let head = "POST /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k\r\n";
    for part in [
        format!("{head}content-length: 6\r\n\r\n10"),
        format!("{head}transfer-encoding: chunked\r\n\r\n6\r\n10 EUR\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n10 EUR\r\n"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.expect("a server");
        stream.write_all(part.as_bytes()).await.expect("the server reads");
        stream.shutdown().await.expect("a connection");
        let mut response = Vec::new();
        _ = timeout(TIME_LIMIT, stream.read_to_end(&mut response)).await.expect("an end in time");
        assert!(!response.starts_with(b"HTTP/1.1 2"), "{part}");
    }
    assert_eq!(runs.count(), 0);
    // The key is free.
    let whole = format!("{head}content-length: 6\r\nconnection: close\r\n\r\n10 EUR");
    assert_eq!(send(server.address, whole.as_bytes()).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn statuses_without_a_body_are_replayed() {
    for status in [204, 205, 206, 304, 300, 416] {
        let (api, runs) = api(layer(), move |_| {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [("etag", "\"7\""), ("content-range", "bytes 0-4/9")])
        });
        let server = Server::start(api).await;
        let bytes = b"POST /pay HTTP/1.1\r\nhost: api\r\nrange: bytes=0-4\r\nidempotency-key: k\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let [first, second] =
            [send(server.address, bytes).await, send(server.address, bytes).await];
        assert_eq!((first.status, second.status), (status, status));
        assert!(!first.is_replay() && second.is_replay(), "{status}");
        for name in ["etag", "content-range", "content-length"] {
            assert_eq!(first.all(name), second.all(name), "{status} {name}");
        }
        assert_eq!(runs.count(), 1);
    }
}

/// The first event arrives while the stream goes on, and a repeated request does not run again.
#[tokio::test]
async fn server_sent_events_pass_at_once_and_run_once() {
    for first_event in ["", "data: one\n\n"] {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(4);
        let receiver = Arc::new(tokio::sync::Mutex::new(Some(receiver)));
        let runs = Runs::default();
        let counted = runs.clone();
        let handler = async move || {
            counted.increment();
            let receiver = receiver.lock().await.take().expect("the first run");
            ([("content-type", "text/event-stream")], Body::new(Events(receiver))).into_response()
        };
        let api = Router::new().route("/pay", any(handler)).layer(layer());
        let server = Server::start(api).await;
        if !first_event.is_empty() {
            sender.send(Bytes::from_static(first_event.as_bytes())).await.expect("a receiver");
        }
        let bytes =
            b"POST /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k\r\ncontent-length: 0\r\n\r\n";
        let mut stream = TcpStream::connect(server.address).await.expect("a server");
        stream.write_all(bytes).await.expect("the server reads");
        let head = read_until(&mut stream, b"\r\n\r\n").await;
        assert!(head.starts_with(b"HTTP/1.1 200"));
        sender.send(Bytes::from_static(b"data: two\n\n")).await.expect("a receiver");
        read_until(&mut stream, b"data: two").await;
        let closing =
            String::from_utf8_lossy(bytes).replace("host: api", "host: api\r\nconnection: close");
        let repeated = send(server.address, closing.as_bytes()).await;
        assert_eq!(repeated.problem().as_deref(), Some("completed-without-body"));
        assert_eq!(repeated.header("x-should-retry"), Some("false"));
        assert_eq!(runs.count(), 1);
    }
}

/// A stream of events without an end.
struct Events(tokio::sync::mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}

/// The head of a stored response counts for the longest outcome, and no size runs twice.
#[tokio::test]
async fn a_response_around_the_longest_outcome_runs_once() {
    for length in (0..=220).step_by(20) {
        let (api, runs) = api(layer().max_outcome(200), move |_| {
            ([("etag", "\"0123456789\"")], "x".repeat(length))
        });
        let server = Server::start(api).await;
        let bytes = b"POST /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        assert_eq!(send(server.address, bytes).await.body.len(), length);
        let repeated = send(server.address, bytes).await;
        let is_stored = repeated.is_replay() && repeated.body.len() == length;
        let is_reported = repeated.problem().as_deref() == Some("completed-without-body");
        assert!(is_stored || is_reported, "{length}: {repeated:?}");
        assert_eq!(runs.count(), 1);
    }
}

/// A switch of protocols leaves HTTP, and the key stays used.
#[tokio::test]
async fn a_switch_of_protocols_runs_once() {
    let (api, runs) = api(layer(), |_| {
        (StatusCode::SWITCHING_PROTOCOLS, [("upgrade", "chat"), ("connection", "upgrade")])
    });
    let server = Server::start(api).await;
    let bytes = b"POST /pay HTTP/1.1\r\nhost: api\r\nconnection: upgrade\r\nupgrade: chat\r\nidempotency-key: k\r\ncontent-length: 0\r\n\r\n";
    let mut stream = TcpStream::connect(server.address).await.expect("a server");
    stream.write_all(bytes).await.expect("the server reads");
    assert!(read_until(&mut stream, b"\r\n\r\n").await.starts_with(b"HTTP/1.1 101"));
    let mut stream = TcpStream::connect(server.address).await.expect("a server");
    stream.write_all(bytes).await.expect("the server reads");
    read_until(&mut stream, b"completed-without-body").await;
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn request_trailers_reach_the_handler() {
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move |request: Request| {
        counted.increment();
        let mut body = request.into_body();
        let mut sums = HeaderMap::new();
        while let Some(frame) = next_frame(&mut body).await {
            sums.extend(frame.into_trailers().unwrap_or_default());
        }
        sums.get("x-sum").map(|sum| sum.to_str().expect("text").to_owned()).unwrap_or_default()
    };
    let server = Server::start(Router::new().route("/pay", any(handler)).layer(layer())).await;
    let bytes = b"POST /pay HTTP/1.1\r\nhost: api\r\nconnection: close\r\nidempotency-key: k\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n";
    assert_eq!(send(server.address, bytes).await.text(), "7");
    assert_eq!(runs.count(), 1);
}

async fn next_frame(body: &mut Body) -> Option<Frame<Bytes>> {
    use http_body::Body as _;
    let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    frame.ok()
}

/// A body with a frame for each byte, which reports the memory of the process at its end.
struct ByteByByte {
    left: usize,
    memory: Arc<std::sync::Mutex<Vec<usize>>>,
}

impl http_body::Body for ByteByByte {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let left = self.left;
        if left == 0 || self.memory.lock().expect("no panic").is_empty() {
            self.memory.lock().expect("no panic").push(resident_pages());
        }
        self.left = left.saturating_sub(1);
        Poll::Ready((left > 0).then(|| Ok(Frame::data(Bytes::from_static(b"x")))))
    }
}

fn resident_pages() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0)
}

/// A client can send each byte in a chunk of its own.
#[tokio::test]
async fn a_body_of_many_frames_takes_no_more_memory_than_its_bytes() {
    const LENGTH: usize = 1_000_000;
    let (api, runs): (_, Runs) = counting::<Memory>(layer());
    let memory = Arc::default();
    let body = ByteByByte { left: LENGTH, memory: Arc::clone(&memory) };
    let request = Request::post("/pay").header("idempotency-key", "k");
    let request = request.body(Body::new(body)).expect("a request");
    let response: Response = api.oneshot(request).await.expect("infallible");
    assert_eq!(response.status(), 200);
    let samples = memory.lock().expect("no panic").clone();
    let grown = samples.last().unwrap_or(&0).saturating_sub(samples[0]) * 4096;
    // A list of frames would have 100 MB.
    assert!(grown < 32_000_000, "{grown} bytes for a body of {LENGTH}");
    assert_eq!(runs.count(), 1);
}

/// A handler that never ends its response, for a client that has left, keeps no place.
#[tokio::test]
async fn a_stream_whose_client_has_left_keeps_no_place() {
    let idempotency: IdempotencyLayer<Memory> = layer().max_running(1);
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        counted.increment();
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        std::mem::forget(sender);
        Body::new(Events(receiver))
    };
    let api = Router::new().route("/pay", any(handler)).layer(idempotency.clone());
    let server = Server::start(api).await;
    for key in 0..3 {
        let bytes = format!(
            "POST /pay HTTP/1.1\r\nhost: api\r\nidempotency-key: k{key}\r\ncontent-length: 0\r\n\r\n"
        );
        let mut stream = TcpStream::connect(server.address).await.expect("a server");
        stream.write_all(bytes.as_bytes()).await.expect("the server reads");
        let head = read_until(&mut stream, b"\r\n\r\n").await;
        assert!(head.starts_with(b"HTTP/1.1 200"), "{key}");
        assert_eq!(idempotency.drain(Duration::from_secs(5)).await, 0);
    }
    assert_eq!(runs.count(), 3);
}
