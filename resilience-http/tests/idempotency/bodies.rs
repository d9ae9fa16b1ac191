//! Bodies: long, slow, broken and endless.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::post as on_post;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::raw_client::{TIME_LIMIT, exchange, pay, position, request, send};
use crate::server::Server;
use crate::{Runs, api, ask, counting, layer, post};

/// A body with frames from a channel.
struct Frames {
    frames: Receiver<Result<Frame<Bytes>, std::io::Error>>,
    length: Option<u64>,
}

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.frames.poll_recv(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

type Pieces = Sender<Result<Frame<Bytes>, std::io::Error>>;

/// Makes an API whose first response has a body of these frames, with this length if known.
fn streaming(
    layer: resilience::http::IdempotencyLayer<crate::Memory>,
    length: Option<u64>,
) -> (Router, Runs, Pieces) {
    let (sender, frames) = channel(8);
    let body = Arc::new(Mutex::new(Some(Body::new(Frames { frames, length }))));
    let (api, runs) =
        api(layer, move |_| body.lock().expect("no panic under the lock").take().expect("one run"));
    (api, runs, sender)
}

#[expect(clippy::unnecessary_wraps, reason = "as a body has them")]
fn data(text: &'static str) -> Result<Frame<Bytes>, std::io::Error> {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

#[tokio::test]
async fn a_stream_is_passed_on_at_once() {
    let (api, runs, frames) = streaming(layer(), None);
    let server = Server::start(api).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a server");
    let request_bytes = request("idempotency-key: k\r\n", "10 EUR");
    stream.write_all(&request_bytes).await.expect("the server reads");
    frames.send(data("first")).await.expect("the receiver is alive");
    let mut seen = Vec::new();
    while position(&seen, b"first").is_none() {
        let read =
            timeout(TIME_LIMIT, stream.read_buf(&mut seen)).await.expect("a prompt response");
        assert_ne!(read.expect("a response"), 0);
    }
    // The key is complete while the client still reads the stream.
    let again = pay(server.address, "k").await;
    assert_eq!((again.status, again.problem().as_deref()), (409, Some("completed-without-body")));
    assert_eq!(again.header("retry-after"), None);

    frames.send(data("last")).await.expect("the receiver is alive");
    drop(frames);
    stream.read_to_end(&mut seen).await.expect("the rest");
    assert!(position(&seen, b"last").is_some());
    assert_eq!(pay(server.address, "k").await.status, 409);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn an_available_body_is_stored() {
    let (api, runs, frames) = streaming(layer(), None);
    for frame in [data("all "), data("at "), data("once")] {
        frames.send(frame).await.expect("room");
    }
    drop(frames);
    assert_eq!(ask(&api, post("k")).await.text(), "all at once");
    let again = ask(&api, post("k")).await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("all at once", true, 1));
}

#[tokio::test]
async fn a_body_of_known_length_is_stored() {
    let (api, runs, frames) = streaming(layer(), Some(8));
    let first = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    for frame in [data("word"), data("word")] {
        tokio::task::yield_now().await;
        frames.send(frame).await.expect("the receiver is alive");
    }
    drop(frames);
    assert_eq!(first.await.expect("a response").text(), "wordword");
    let again = ask(&api, post("k")).await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("wordword", true, 1));
}

#[tokio::test]
async fn a_broken_response_body_is_not_repeated() {
    let (api, runs, frames) = streaming(layer(), Some(8));
    let server = Server::start(api).await;
    frames.send(data("word")).await.expect("room");
    frames.send(Err(std::io::Error::other("gone"))).await.expect("room");
    let bytes = exchange(server.address, &request("idempotency-key: k\r\n", "10 EUR")).await;
    assert!(position(&bytes, b"wordword").is_none(), "{}", String::from_utf8_lossy(&bytes));
    let again = pay(server.address, "k").await;
    assert_eq!((again.status, again.problem().as_deref()), (409, Some("response-broken")));
    assert!(again.text().contains("broke off") && !again.text().contains("too long"));
    let json: serde_json::Value = serde_json::from_slice(&again.body).expect("JSON");
    assert_eq!(json["safe_new_key"], false);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn an_available_body_that_breaks_is_not_called_a_stream() {
    let (api, runs, frames) = streaming(layer(), None);
    let server = Server::start(api).await;
    frames.send(data("word")).await.expect("room");
    frames.send(Err(std::io::Error::other("gone"))).await.expect("room");
    exchange(server.address, &request("idempotency-key: k\r\n", "10 EUR")).await;
    let again = pay(server.address, "k").await;
    assert_eq!((again.problem().as_deref(), runs.count()), (Some("response-broken"), 1));
}

#[tokio::test]
async fn every_unstored_response_has_its_reason() {
    let detail = |response: &crate::raw_client::RawResponse| {
        let json: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
        json["detail"].as_str().expect("text").to_owned()
    };
    let (long, _) = api(layer().max_outcome(4), |_| "a long response");
    ask(&long, post("k")).await;
    assert!(detail(&ask(&long, post("k")).await).contains("too long"));
    let (stream, _, frames) = streaming(layer(), None);
    let first = tower::ServiceExt::oneshot(stream.clone(), post("k")).await;
    assert!(detail(&ask(&stream, post("k")).await).contains("a stream"));
    drop((first, frames));
}

/// A proxy passes on the head of a response before the body has arrived.
#[tokio::test]
async fn a_late_body_with_a_content_length_is_stored() {
    let (sender, frames) = channel(8);
    let body = Arc::new(Mutex::new(Some(Body::new(Frames { frames, length: None }))));
    let (api, runs) = api(layer(), move |_| {
        let body = body.lock().expect("no panic under the lock").take().expect("one run");
        ([("content-length", "4")], body)
    });
    let server = Server::start(api).await;
    let address = server.address;
    let first = tokio::spawn(async move { pay(address, "k").await });
    while runs.count() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    sender.send(data("word")).await.expect("the receiver is alive");
    drop(sender);
    assert_eq!(first.await.expect("a response").text(), "word");
    let again = pay(server.address, "k").await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("word", true, 1));
}

/// A gateway copies the head of an upstream whose body has another length. A client must not take a
/// part of the body for the whole, and a replay must not either.
#[tokio::test]
async fn a_body_of_another_length_than_its_content_length_is_not_stored() {
    for (announced, is_stream) in [("10", true), ("10", false), ("3", true), ("3", false)] {
        let (api, runs) = api(layer(), move |_| {
            let (sender, frames) = channel(1);
            sender.try_send(data("words")).expect("room");
            let body = Body::new(Frames { frames, length: None });
            let body = if is_stream { body } else { Body::from("words") };
            ([("content-length", announced)], body)
        });
        let server = Server::start(api).await;
        // The connection stays open after a complete response.
        let head = "host: api\r\nidempotency-key: k\r\ncontent-length: 0\r\n";
        let twice = format!("POST /pay HTTP/1.1\r\n{head}\r\n").repeat(2);
        let last = format!("POST /pay HTTP/1.1\r\n{head}connection: close\r\n\r\n");
        let bytes = exchange(server.address, format!("{twice}{last}").as_bytes()).await;
        let text = String::from_utf8(bytes).expect("text");
        let responses = text.matches("HTTP/1.1 ").count();
        if announced == "10" {
            // The connection ends: the bytes of another response are no part of the body.
            assert!(responses <= 1, "{text}");
        } else {
            assert!(text.contains("\r\n\r\nworHTTP/1.1 409") && responses == 3, "{text}");
        }
        let empty = exchange(server.address, last.as_bytes()).await;
        assert!(position(&empty, b"response-broken").is_some(), "{text}");
        assert_eq!(runs.count(), 1);
    }
}

/// The `Content-Length` of these responses describes the response to a GET request.
#[tokio::test]
async fn a_content_length_without_a_body_is_stored_where_http_allows_it() {
    // The second length is longer than the longest outcome.
    for (method, status, length) in
        [("HEAD", 200, "5"), ("POST", 304, "5"), ("HEAD", 200, "9999999"), ("POST", 304, "9999999")]
    {
        let methods = [Method::HEAD, Method::POST];
        let (api, runs) = api(layer().methods(methods), move |_| {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [("content-length", length)], Body::empty())
        });
        let server = Server::start(api).await;
        let head = "host: api\r\nidempotency-key: k\r\nconnection: close\r\n";
        for replay in [false, true] {
            let request = format!("{method} /pay HTTP/1.1\r\n{head}\r\n");
            let response = send(server.address, request.as_bytes()).await;
            let expected = (status, replay);
            assert_eq!((response.status, response.is_replay()), expected, "{method} {length}");
        }
        assert_eq!(runs.count(), 1);
    }
}

#[tokio::test]
async fn http1_trailers_are_sent_and_replayed() {
    for announced in [true, false] {
        let (sender, frames) = channel(8);
        let body = Arc::new(Mutex::new(Some(Body::new(Frames { frames, length: None }))));
        let (api, _) = api(layer(), move |_| {
            let body = body.lock().expect("no panic under the lock").take().expect("one run");
            let trailer = if announced { "x-sum" } else { "x-other" };
            ([("trailer", trailer)], body)
        });
        let server = Server::start(api).await;
        let trailers = HeaderMap::from_iter([(
            "x-sum".parse().expect("a name"),
            "abc".parse().expect("a value"),
        )]);
        sender.send(data("word")).await.expect("room");
        sender.send(Ok(Frame::trailers(trailers))).await.expect("room");
        drop(sender);
        let bytes = request("idempotency-key: k\r\nte: trailers\r\n", "10 EUR");
        for is_replay in [false, true] {
            let response = exchange(server.address, &bytes).await;
            let text = String::from_utf8_lossy(&response).to_lowercase();
            assert_eq!(text.contains("idempotent-replayed"), is_replay, "{text}");
            assert_eq!(text.contains("x-sum: abc"), announced, "{text}");
            assert!(text.contains("word"), "{text}");
            if announced {
                assert!(text.contains("transfer-encoding: chunked"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn request_trailers_reach_the_handler() {
    let handler = async |request: axum::extract::Request| {
        let mut body = request.into_body();
        let mut sum = None;
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            if let Ok(trailers) = frame.expect("a frame").into_trailers() {
                sum = trailers.get("x-sum").cloned();
            }
        }
        format!("{sum:?}")
    };
    let api = Router::new().route("/pay", on_post(handler)).layer(layer());
    let server = Server::start(api).await;
    let bytes = "POST /pay HTTP/1.1\r\nhost: api\r\nconnection: close\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\nidempotency-key: k\r\n\r\n5\r\n12345\r\n0\r\nx-sum: abc\r\n\r\n";
    for _ in 0..2 {
        assert_eq!(send(server.address, bytes.as_bytes()).await.text(), "Some(\"abc\")");
    }
}

#[tokio::test]
async fn a_response_above_the_limit_is_not_stored() {
    // A record also has a head of 20 bytes (format, status, number of headers) and the header
    // lines.
    for (length, is_stored) in [(800, true), (1024, false), (5000, false)] {
        let (api, runs) = api(layer().max_outcome(1024), move |_| "x".repeat(length));
        assert_eq!(ask(&api, post("k")).await.body.len(), length);
        let again = ask(&api, post("k")).await;
        assert_eq!(again.is_replay(), is_stored, "{length}");
        if !is_stored {
            assert_eq!(again.problem().as_deref(), Some("completed-without-body"));
            let json: serde_json::Value = serde_json::from_slice(&again.body).expect("JSON");
            assert_eq!(json["safe_new_key"], false);
        }
        assert_eq!(runs.count(), 1);
    }
    // The limit also holds for a body of unknown length.
    let (api, runs, frames) = streaming(layer().max_outcome(6), None);
    for frame in [data("word"), data("word"), data("word")] {
        frames.send(frame).await.expect("room");
    }
    drop(frames);
    assert_eq!(ask(&api, post("k")).await.text(), "wordwordword");
    assert_eq!(ask(&api, post("k")).await.status, 409);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_default_limit_is_a_mebibyte() {
    for (length, is_stored) in [(1024 * 1024 - 1000, true), (1024 * 1024, false)] {
        let (api, _) = api(layer(), move |_| vec![b'x'; length]);
        assert_eq!(ask(&api, post("k")).await.body.len(), length);
        assert_eq!(ask(&api, post("k")).await.is_replay(), is_stored);
    }
}

#[tokio::test]
async fn unannounced_trailers_are_not_replayed() {
    let (api, _, frames) = streaming(layer(), None);
    let trailers =
        HeaderMap::from_iter([("x-sum".parse().expect("a name"), "7".parse().expect("a value"))]);
    frames.send(data("words")).await.expect("room");
    frames.send(Ok(Frame::trailers(trailers))).await.expect("room");
    drop(frames);
    let trailers = async || {
        let response =
            tower::ServiceExt::oneshot(api.clone(), post("k")).await.expect("a response");
        let mut body = response.into_body();
        let mut seen = (Vec::new(), None);
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            match frame.expect("a frame").into_data() {
                Ok(data) => seen.0.extend(data),
                Err(frame) => seen.1 = frame.into_trailers().ok(),
            }
        }
        seen
    };
    assert!(trailers().await.1.is_some());
    assert_eq!(trailers().await, (b"words".to_vec(), None));
}

#[tokio::test]
async fn a_request_above_the_limit_is_rejected() {
    let (api, runs) = counting(layer().max_body(8));
    let server = Server::start(api).await;
    let key = "idempotency-key: k\r\n";
    let response = send(server.address, &request(key, "123456789")).await;
    assert_eq!((response.status, response.problem().as_deref()), (413, Some("body-too-large")));
    // A chunked body without a length.
    let pieces = "POST /pay HTTP/1.1\r\nhost: api\r\nconnection: close\r\ntransfer-encoding: chunked\r\nidempotency-key: k\r\n\r\n5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n";
    assert_eq!(send(server.address, pieces.as_bytes()).await.status, 413);
    assert_eq!(runs.count(), 0);
    assert_eq!(send(server.address, &request(key, "12345678")).await.status, 200);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_handler_reads_the_whole_body() {
    let echo = async |body: String| body;
    let api = Router::new().route("/pay", on_post(echo)).layer(layer());
    let server = Server::start(api).await;
    let pieces = "POST /pay HTTP/1.1\r\nhost: api\r\nconnection: close\r\ntransfer-encoding: chunked\r\nidempotency-key: k\r\n\r\n5\r\n12345\r\n5\r\n67890\r\n0\r\n\r\n";
    for replayed in [false, true] {
        let response = send(server.address, pieces.as_bytes()).await;
        assert_eq!((response.text(), response.is_replay()), ("1234567890", replayed));
    }
    // The transfer encoding makes no difference.
    let whole = send(server.address, &request("idempotency-key: k\r\n", "1234567890")).await;
    assert!(whole.is_replay());
    let none = send(server.address, &request("idempotency-key: l\r\n", "")).await;
    assert_eq!((none.status, none.text()), (200, ""));
}

#[tokio::test]
async fn a_broken_request_body_is_not_handled() {
    let (api, runs) = counting(layer());
    let (sender, frames) = channel(2);
    sender.send(data("10")).await.expect("room");
    sender.send(Err(std::io::Error::other("gone"))).await.expect("room");
    let mut request = post("k");
    *request.body_mut() = Body::new(Frames { frames, length: None });
    let response = ask(&api, request).await;
    assert_eq!((response.status, response.problem().as_deref()), (400, Some("body-unreadable")));
    assert_eq!(ask(&api, post("k")).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_body_has_a_time_limit() {
    let (api, runs) = counting(layer().body_timeout(Duration::from_secs(5)));
    let (sender, frames) = channel(2);
    sender.send(data("10")).await.expect("room");
    let mut request = post("k");
    *request.body_mut() = Body::new(Frames { frames, length: None });
    let begin = tokio::time::Instant::now();
    let response = ask(&api, request).await;
    assert_eq!((response.status, response.problem().as_deref()), (408, Some("body-timeout")));
    assert_eq!(begin.elapsed().as_secs(), 5);
    assert_eq!(ask(&api, post("k")).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_slow_request_body_ends_the_connection() {
    let (api, runs) = counting(layer().body_timeout(Duration::from_millis(30)));
    let server = Server::start(api).await;
    // The head promises more than the client sends.
    let bytes =
        b"POST /pay HTTP/1.1\r\nhost: api\r\ncontent-length: 100\r\nidempotency-key: k\r\n\r\n10";
    let response = send(server.address, bytes).await;
    assert_eq!((response.status, response.problem().as_deref()), (408, Some("body-timeout")));
    assert_eq!(runs.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_while_a_response_body_is_read() {
    let (api, runs, frames) = streaming(layer().lease(Duration::from_secs(3)), Some(8));
    let first = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(ask(&api, post("k")).await.problem().as_deref(), Some("in-progress"));
    for frame in [data("word"), data("word")] {
        frames.send(frame).await.expect("the receiver is alive");
    }
    drop(frames);
    assert_eq!(first.await.expect("a response").text(), "wordword");
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn the_body_of_an_unprotected_method_is_not_read() {
    // The body of this request never ends.
    let (_sender, frames) = channel(1);
    let (api, _) = counting(layer());
    let body = Body::new(Frames { frames, length: None });
    let request = Request::put("/pay").body(body).expect("a request");
    assert_eq!(ask(&api, request).await.text(), "run 1");
}

/// The layer has the bounds of `hyper` and needs no type of `axum`.
#[tokio::test]
async fn any_service_works() {
    let runs = Runs::default();
    let counted = runs.clone();
    let service = tower::service_fn(move |_: Request<_>| {
        let run = counted.increment();
        async move { Ok::<_, Infallible>(Response::new(format!("run {run}"))) }
    });
    let service = tower::Layer::layer(&layer(), service);
    for _ in 0..2 {
        let request = post("k").map(|_| String::from("10 EUR"));
        let response = tower::ServiceExt::oneshot(service.clone(), request).await;
        let body = Body::new(response.expect("a response").into_body());
        assert_eq!(axum::body::to_bytes(body, 9).await.expect("a body"), "run 1");
    }
    assert_eq!(runs.count(), 1);
}
