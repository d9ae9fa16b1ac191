//! gRPC: the status is in the trailers of a 200 response.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnInterrupted;
use tower::{Layer, ServiceExt};

use crate::{Memory, Runs, layer};

/// A message, and trailers with this status.
struct Reply(Vec<Frame<Bytes>>);

impl Reply {
    fn new(run: usize, code: &'static str) -> Self {
        let names = ["grpc-status", "x-trailer"].map(HeaderName::from_static);
        let values = [code, "1"].map(HeaderValue::from_static);
        let trailers: HeaderMap = names.into_iter().zip(values).collect();
        Self(vec![Frame::trailers(trailers), Frame::data(Bytes::from(format!("run {run}")))])
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct RawResponse {
    status: u16,
    headers: HeaderMap,
    message: String,
    trailers: HeaderMap,
}

/// Returns the response to the second of two calls, and the number of runs.
async fn second(
    layer: IdempotencyLayer<Memory>,
    code: &'static str,
    key: &str,
) -> (RawResponse, usize) {
    let runs = Runs::default();
    let counted = runs.clone();
    let service = tower::service_fn(move |_: Request<_>| {
        let run = counted.increment();
        let response = Response::builder().header("content-type", "application/grpc+proto");
        async move { Ok::<_, Infallible>(response.body(Reply::new(run, code)).expect("a value")) }
    });
    let service = layer.layer(service);
    let mut responses = Vec::new();
    for _ in 0..2 {
        let request =
            Request::post("/shop.Orders/Place").header("content-type", "application/grpc");
        let request = request.header("idempotency-key", key).body(String::from("order"));
        let response = service.clone().oneshot(request.expect("a request")).await;
        let (head, mut body) = response.expect("a response").into_parts();
        let (mut message, mut trailers) = (String::new(), HeaderMap::new());
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            match frame.expect("a frame").into_data() {
                Ok(data) => message.push_str(std::str::from_utf8(&data).expect("text")),
                Err(frame) => trailers = frame.into_trailers().expect("trailers"),
            }
        }
        responses.push(RawResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            message,
            trailers,
        });
    }
    (responses.pop().expect("the second"), runs.count())
}

#[tokio::test]
async fn the_grpc_status_decides_and_is_replayed() {
    for (code, is_stored) in [
        ("0", true),
        ("3", true),
        ("5", true),
        ("6", true),
        ("9", true),
        ("11", true),
        ("7", false),
        ("8", false),
        ("13", false),
        ("14", false),
        ("16", false),
    ] {
        let (response, runs) = second(layer(), code, "k").await;
        assert_eq!(runs, if is_stored { 1 } else { 2 }, "{code}");
        assert_eq!((response.status, response.message), (200, format!("run {runs}")));
        assert_eq!(response.trailers.get("grpc-status").expect("a status"), code);
        assert_eq!(response.trailers.contains_key("x-trailer"), !is_stored);
        assert_eq!(response.headers.contains_key("idempotent-replayed"), is_stored);
    }
}

#[tokio::test]
async fn a_problem_is_a_grpc_status() {
    let strict = layer().on_interrupted(OnInterrupted::Unknown);
    let (response, runs) = second(strict, "14", "k").await;
    assert_eq!((response.status, runs, response.message.as_str()), (200, 1, ""));
    assert_eq!(response.headers["grpc-status"], "13");
    let words = "the outcome of an earlier call with this idempotency key is unknown";
    assert_eq!(response.headers["grpc-message"], words);
    assert_eq!(response.headers["content-type"], "application/grpc");
    let (response, runs) = second(layer(), "0", "").await;
    assert_eq!((runs, &response.headers["grpc-status"]), (0, &HeaderValue::from_static("3")));
}
