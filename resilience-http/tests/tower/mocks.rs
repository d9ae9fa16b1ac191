//! Mocks of `tower-test`, whose readiness and responses a test controls.

use std::future::Future;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use resilience::{Rejected, RejectedKind};
use tower::BoxError;
use tower_test::mock;

pub(crate) type Req = Request<String>;
pub(crate) type Res = Response<String>;
pub(crate) type Mock = mock::Mock<Req, Res>;
pub(crate) type Handle = mock::Handle<Req, Res>;

pub(crate) fn pair() -> (Mock, Handle) {
    mock::pair()
}

pub(crate) fn response(status: u16) -> Res {
    Response::builder().status(status).body(String::new()).expect("a response")
}

/// Answers the next request.
pub(crate) async fn answer(handle: &mut Handle, status: u16) {
    let (_, send) = soon(handle.next_request()).await.expect("a request");
    send.send_response(response(status));
}

/// Waits for a result that needs no time.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_millis(10), future).await.expect("no result in time")
}

/// Returns whether a future is still pending after all other tasks had a turn.
pub(crate) async fn is_pending<F: Future>(future: F) -> bool {
    tokio::time::timeout(Duration::from_millis(10), future).await.is_err()
}

/// Polls a function once, without a task.
pub(crate) async fn poll_once<T>(
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>,
) -> Poll<T> {
    std::future::poll_fn(|cx| Poll::Ready(poll(cx))).await
}

/// Returns the kind of a boxed rejection.
pub(crate) fn kind<T>(result: Result<T, BoxError>) -> Option<RejectedKind> {
    result.err()?.downcast_ref::<Rejected>().map(Rejected::kind)
}
