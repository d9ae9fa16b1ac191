//! The deadline that a `TimeoutLayer` sets for the code inside.

use std::convert::Infallible;
use std::future::{pending, poll_fn, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::{Request, Response};
use resilience::context::{self, Context};
use resilience::http::{BulkheadLayer, ClientContextLayer, RetryLayer, TimeoutLayer};
use resilience::{Bulkhead, Rejected, RejectedKind, RetryPolicy, bulkhead, timeout};
use tokio::time::{Instant, sleep};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _, service_fn};

use crate::secs;

fn layer() -> TimeoutLayer {
    TimeoutLayer::new(secs(5)).name("the layer")
}

fn kind(error: &BoxError) -> Option<RejectedKind> {
    error.downcast_ref().map(Rejected::kind)
}

#[timeout("1m")]
async fn time_left() -> Result<Option<Duration>, Rejected> {
    sleep(secs(1)).await;
    Ok(context::remaining())
}

#[tokio::test(start_paused = true)]
async fn attributes_of_a_handler_read_the_deadline() {
    let handler = service_fn(|()| async {
        let set_by = context::set_by();
        time_left().await.map(|left| (left, set_by))
    });
    let mut service = ServiceBuilder::new().layer(layer()).service(handler);
    let seen = service.call(()).await.expect("in time");
    assert_eq!(seen, (Some(secs(4)), Some("the layer")));
    assert_eq!((context::remaining(), context::set_by()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_of_a_handler_rejects_the_call_at_the_deadline() {
    #[bulkhead(max = 1, queue = 1, wait = "1m", name = "inside")]
    async fn occupied() -> Result<(), Rejected> {
        sleep(secs(60)).await;
        Ok(())
    }
    let occupant = tokio::spawn(occupied());
    tokio::task::yield_now().await;
    let start = Instant::now();
    let mut service = ServiceBuilder::new().layer(layer()).service(service_fn(|()| occupied()));
    let error = service.call(()).await.expect_err("no permit");
    assert_eq!((kind(&error), start.elapsed()), (Some(RejectedKind::BulkheadFull), secs(5)));
    occupant.abort();
}

/// The code before the future of the service runs in `call`.
#[tokio::test(start_paused = true)]
async fn sync_code_of_a_service_reads_the_deadline() {
    let handler = service_fn(|()| ready(Ok::<_, Infallible>(context::remaining())));
    let mut service = ServiceBuilder::new().layer(layer()).service(handler);
    assert_eq!(service.call(()).await.expect("in time"), Some(secs(5)));
    assert_eq!(context::remaining(), None);
}

#[tokio::test(start_paused = true)]
async fn a_client_below_writes_the_time_left() {
    let client = ServiceBuilder::new().layer(ClientContextLayer::new()).service(service_fn(
        |request: Request<()>| {
            ready(Ok::<_, Infallible>(request.headers().get("x-request-timeout-ms").cloned()))
        },
    ));
    let handler = service_fn(move |request| {
        let mut client = client.clone();
        async move {
            sleep(secs(2)).await;
            client.call(request).await
        }
    });
    let mut service = ServiceBuilder::new().layer(layer()).service(handler);
    let header = service.call(Request::new(())).await.expect("in time");
    assert_eq!(header.expect("a header"), "3000");
}

#[tokio::test(start_paused = true)]
async fn a_client_layer_directly_below_writes_the_limit_in_each_attempt() {
    let seen = Mutex::new(Vec::new());
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(crate::POLICY))
        .layer(layer())
        .layer(ClientContextLayer::new())
        .service(service_fn(|request: Request<String>| {
            let mut seen = seen.lock().expect("no panic");
            seen.push(request.headers()["x-request-timeout-ms"].clone());
            let status = if seen.len() < 3 { 503 } else { 200 };
            ready(Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap()))
        }));
    assert_eq!(client.oneshot(crate::get()).await.expect("a response").status(), 200);
    assert_eq!(*seen.lock().expect("no panic"), ["5000"; 3]);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_caller_bounds_the_limit_and_ends_late_calls() {
    let calls = Mutex::new(0);
    let mut service = ServiceBuilder::new().layer(layer()).service(service_fn(|()| {
        *calls.lock().expect("no panic") += 1;
        let seen = (context::remaining(), context::set_by());
        async move {
            sleep(secs(60)).await;
            Ok::<_, Infallible>(seen)
        }
    }));
    let caller = Context::new().deadline(secs(2), "the caller");
    let start = Instant::now();
    let error = caller.scope(async { service.call(()).await }).await.expect_err("too long");
    let rejected: &Rejected = error.downcast_ref().expect("a rejection");
    let expected = (RejectedKind::TimedOut, "the layer", Some("the caller"));
    assert_eq!((rejected.kind(), rejected.name(), rejected.deadline_set_by()), expected);
    assert_eq!(start.elapsed(), secs(2));
    // After the deadline the service is not called.
    let late = caller.scope(async { service.call(()).await }).await.expect_err("too late");
    assert_eq!(kind(&late), Some(RejectedKind::DeadlineExceeded));
    assert_eq!(*calls.lock().expect("no panic"), 1);
}

/// A body that records the context of each poll.
struct Streamed {
    frames: u32,
    seen: Arc<Mutex<Vec<Option<Duration>>>>,
}

impl http_body::Body for Streamed {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Infallible>>> {
        self.seen.lock().expect("no panic").push(context::remaining());
        self.frames -= 1;
        let frame: &[u8] = b"frame";
        Poll::Ready((self.frames > 0).then(|| Ok(http_body::Frame::data(frame))))
    }
}

/// The limit covers the head of a response. A stream may go on for longer.
#[tokio::test(start_paused = true)]
async fn the_body_of_a_response_has_no_deadline() {
    let seen = Arc::default();
    let mut service = ServiceBuilder::new().layer(layer()).service(service_fn(|()| async {
        sleep(secs(1)).await;
        Ok::<_, Infallible>(Response::new(Streamed { frames: 3, seen: Arc::clone(&seen) }))
    }));
    let mut body = Box::pin(service.call(()).await.expect("in time").into_body());
    sleep(secs(60)).await;
    while let Some(frame) = poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx)).await {
        frame.expect("a frame");
    }
    assert_eq!(*seen.lock().expect("no panic"), [None; 3]);
}

#[tokio::test(start_paused = true)]
async fn handlers_of_axum_read_the_deadline() {
    let app = Router::new()
        .route("/", get(|| async { format!("{:?}", time_left().await.expect("in time")) }));
    let mut service = ServiceBuilder::new().layer(layer()).service(app);
    let request = Request::new(axum::body::Body::empty());
    let response = service.call(request).await.expect("in time");
    let body = axum::body::to_bytes(response.into_body(), 100).await.expect("a body");
    assert_eq!(body, "Some(4s)");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_service_restores_the_context() {
    for in_call in [true, false] {
        let mut service = ServiceBuilder::new().layer(layer()).service(service_fn(move |()| {
            assert!(!in_call, "in `call`");
            async move {
                assert!(in_call, "in the future");
                Ok::<_, Infallible>(())
            }
        }));
        let call = async move {
            let _: Result<(), BoxError> = service.call(()).await;
        };
        // On this thread: the runtime has no other.
        assert!(tokio::spawn(call).await.expect_err("a panic").is_panic());
        assert_eq!((context::remaining(), context::set_by()), (None, None));
    }
}

/// A wait in place of a rejection belongs to the retry, not to the attempt.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_an_attempt_bounds_no_wait_in_place_of_a_rejection() {
    static BULKHEAD: Bulkhead = Bulkhead::new(1).queue(1).wait(Duration::from_secs(1));
    let policy = RetryPolicy::new().wait_for_rejections(true);
    let client = ServiceBuilder::new()
        .layer(RetryLayer::new(policy))
        .layer(layer())
        .layer(BulkheadLayer::new(&BULKHEAD))
        .service(service_fn(|_: Request<String>| async {
            Ok::<_, Infallible>(Response::new(context::remaining()))
        }));
    let permit = BULKHEAD.try_acquire().expect("a permit");
    tokio::spawn(async {
        sleep(secs(20)).await;
        drop(permit);
    });
    let start = Instant::now();
    let response = client.oneshot(crate::get()).await.expect("a response");
    assert_eq!((response.into_body(), start.elapsed()), (Some(secs(5)), secs(20)));
}

#[tokio::test(start_paused = true)]
async fn a_call_after_the_deadline_is_rejected_as_such_outside_of_the_context_too() {
    let mut service = ServiceBuilder::new()
        .layer(layer())
        .service(service_fn(|()| async { Ok::<_, BoxError>(()) }));
    let over = Context::new().deadline(Duration::ZERO, "import");
    let call = over.run(|| service.call(()));
    let error = tokio::spawn(call).await.expect("no panic").expect_err("the deadline is over");
    let rejected: &Rejected = error.downcast_ref().expect("a rejection");
    assert_eq!(rejected.kind(), RejectedKind::DeadlineExceeded);
    assert_eq!(rejected.deadline_set_by(), Some("import"));
}

/// A future is made in one place, and awaited below an earlier deadline.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_first_poll_bounds_the_limit() {
    let calls = |late| async move {
        let mut service = ServiceBuilder::new().layer(layer()).service(service_fn(|()| async {
            sleep(secs(1)).await;
            let left = context::remaining();
            sleep(secs(60)).await;
            Ok::<_, Infallible>(left)
        }));
        let start = Instant::now();
        let call = service.call(());
        sleep(secs(late)).await;
        let caller = Context::new().deadline(secs(2), "the caller");
        let error = caller.scope(call).await.expect_err("too long");
        let rejected: &Rejected = error.downcast_ref().expect("a rejection");
        assert_eq!((rejected.kind(), rejected.name()), (RejectedKind::TimedOut, "the layer"));
        (start.elapsed(), rejected.deadline_set_by())
    };
    assert_eq!(calls(0).await, (secs(2), Some("the caller")));
    assert_eq!(calls(2).await, (secs(4), Some("the caller")));
    assert_eq!(calls(4).await, (secs(5), None), "the limit ends first");
}

/// The service was called, so a deadline that has passed is a timeout.
#[tokio::test(start_paused = true)]
async fn a_first_poll_after_a_deadline_is_a_timeout() {
    let mut service = ServiceBuilder::new()
        .layer(layer())
        .service(service_fn(|()| pending::<Result<(), Infallible>>()));
    for call in [service.call(()), service.call(())] {
        let over = Context::new().deadline(Duration::ZERO, "the caller");
        let start = Instant::now();
        sleep(secs(1)).await;
        let error = over.scope(call).await.expect_err("too late");
        assert_eq!((kind(&error), start.elapsed()), (Some(RejectedKind::TimedOut), secs(1)));
    }
}
