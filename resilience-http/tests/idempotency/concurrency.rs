//! Concurrent requests with an equal key.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::post as on_post;
use resilience::http::{IdempotencyLayer, IdempotentBody};
use resilience::idempotent::OnInterrupted;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::raw_client::{RawResponse, pay};
use crate::server::Server;
use crate::{Memory, Runs, ask, layer, post};

fn slow(layer: IdempotencyLayer<Memory>, time: Duration) -> (Router, Runs) {
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        let run = counted.increment();
        sleep(time).await;
        format!("run {run}")
    };
    (Router::new().route("/pay", on_post(handler)).layer(layer), runs)
}

/// Returns the responses to 64 concurrent clients.
async fn concurrent_responses(layer: IdempotencyLayer<Memory>) -> (Vec<RawResponse>, Runs) {
    let (api, runs) = slow(layer, Duration::from_millis(10));
    let server = Server::start(api).await;
    let address = server.address;
    let mut clients: JoinSet<_> = (0..64).map(|_| pay(address, "k")).collect();
    let mut responses = Vec::new();
    while let Some(response) = clients.join_next().await {
        responses.push(response.expect("a response"));
    }
    (responses, runs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_runs_and_concurrent_requests_are_rejected_or_replayed() {
    let (responses, runs) = concurrent_responses(layer()).await;
    assert_eq!(runs.count(), 1);
    assert_eq!(responses.len(), 64);
    for response in &responses {
        match response.status {
            200 => assert_eq!(response.text(), "run 1"),
            _ => assert_eq!(response.problem().as_deref(), Some("in-progress")),
        }
    }
    let first = responses.iter().filter(|it| it.status == 200 && !it.is_replay());
    assert_eq!(first.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn waiting_requests_get_one_response() {
    let (responses, runs) = concurrent_responses(layer().wait(Duration::from_secs(30))).await;
    assert_eq!(runs.count(), 1);
    for response in &responses {
        assert_eq!((response.status, response.text()), (200, "run 1"));
    }
    assert_eq!(responses.iter().filter(|it| !it.is_replay()).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_bounded() {
    let (api, runs) = slow(layer().wait(Duration::from_secs(5)), Duration::from_secs(60));
    let first = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    sleep(Duration::from_secs(1)).await;
    let begin = Instant::now();
    let response = ask(&api, post("k")).await;
    assert_eq!(response.problem().as_deref(), Some("in-progress"));
    let waited = begin.elapsed();
    assert!((5000..5010).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(first.await.expect("a response").text(), "run 1");
    assert_eq!(runs.count(), 1);
}

/// Makes a service with a limit inside of the layer. The handler takes as many seconds as the body
/// says.
fn limited(
    limit: usize,
) -> impl Service<
    Request<Body>,
    Response = Response<impl http_body::Body>,
    Error = BoxError,
    Future: Send,
> + Clone
+ Send {
    let handler = |request: Request<IdempotentBody<Body>>| async move {
        let body = axum::body::to_bytes(Body::new(request.into_body()), 9).await?;
        sleep(Duration::from_secs(std::str::from_utf8(&body)?.parse()?)).await;
        Ok::<_, BoxError>(Response::new(Body::empty()))
    };
    ServiceBuilder::new()
        .layer(layer().wait(Duration::from_secs(1000)).on_interrupted(OnInterrupted::Unknown))
        .layer(ConcurrencyLimitLayer::new(limit))
        .service(service_fn(handler))
}

fn takes(seconds: &'static str, key: &str) -> Request<Body> {
    let request = Request::post("/pay").header("idempotency-key", key);
    request.body(Body::from(seconds)).expect("a request")
}

/// A client that sends its body slowly must not keep a limit inside of the layer from others.
#[tokio::test(start_paused = true)]
async fn a_request_whose_body_arrives_holds_no_reservation_of_the_service() {
    let service = limited(1);
    let body = Body::from_stream(tokio_stream::pending::<Result<Vec<u8>, BoxError>>());
    let slow = Request::post("/pay").header("idempotency-key", "slow").body(body);
    let slow = tokio::spawn(service.clone().oneshot(slow.expect("a request")));
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert!(service.oneshot(takes("1", "k")).await.is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    slow.abort();
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_that_waits_holds_no_reservation_of_the_service() {
    let service = limited(2);
    let calls = ["k", "k"].map(|key| tokio::spawn(service.clone().oneshot(takes("100", key))));
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    assert!(service.oneshot(takes("1", "l")).await.is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    for call in calls {
        assert!(call.await.expect("no panic").is_ok());
    }
}

/// The wait for the service is a part of the call: the lease is renewed, and the key stays claimed.
#[tokio::test(start_paused = true)]
async fn a_claimed_request_waits_for_the_service() {
    let service = limited(1);
    let first = tokio::spawn(service.clone().oneshot(takes("100", "k")));
    tokio::task::yield_now().await;
    let start = Instant::now();
    assert!(service.oneshot(takes("1", "l")).await.is_ok());
    assert_eq!(start.elapsed(), Duration::from_secs(101));
    assert!(first.await.expect("no panic").is_ok());
}

/// A service that is ready or broken.
#[derive(Clone)]
struct Breakable(Arc<AtomicBool>);

impl Service<Request<IdempotentBody<Body>>> for Breakable {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Ready<Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        let is_broken = self.0.load(Relaxed);
        Poll::Ready(if is_broken { Err("the backend is gone".into()) } else { Ok(()) })
    }

    fn call(&mut self, _: Request<IdempotentBody<Body>>) -> Self::Future {
        ready(Ok(Response::new(Body::empty())))
    }
}

/// The handler has not run, so the next request runs.
#[tokio::test]
async fn a_service_that_becomes_unready_gives_the_key_back() {
    let is_broken = Arc::<AtomicBool>::default();
    let layer = layer().on_interrupted(OnInterrupted::Unknown);
    let service = layer.layer(Breakable(Arc::clone(&is_broken)));
    let mut first = service.clone();
    first.ready().await.expect("ready");
    is_broken.store(true, Relaxed);
    let error = first.call(takes("1", "k")).await.map(drop).expect_err("an error");
    assert_eq!(error.to_string(), "the backend is gone");
    is_broken.store(false, Relaxed);
    let response = service.oneshot(takes("1", "k")).await.expect("a response");
    assert_eq!(response.status(), 200);
}

/// A handler continues after a disconnect, but a request in the queue of the service has no handler.
#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_the_queue_of_the_service_gives_the_key_back() {
    let service = limited(1);
    let mut early = service.clone();
    let waiting = early.ready().await.expect("ready").call(takes("1", "k"));
    let running = tokio::spawn(service.clone().oneshot(takes("100", "l")));
    tokio::task::yield_now().await;
    let waiting = tokio::spawn(waiting);
    sleep(Duration::from_secs(50)).await;
    waiting.abort();
    assert!(running.await.expect("no panic").is_ok());
    let start = Instant::now();
    let response = service.oneshot(takes("1", "k")).await.expect("a response");
    assert_eq!((response.status().as_u16(), start.elapsed().as_secs()), (200, 1));
    assert!(!response.headers().contains_key("idempotent-replayed"));
}
