//! A layer that turns a panic into a response, as `tower_http::catch_panic` does.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::{BoxError, Service};

/// The future stays alive after its panic, and is dropped with the call.
#[derive(Clone)]
pub(crate) struct CatchPanic<S>(pub(crate) S);

impl<S> Service<Request<String>> for CatchPanic<S>
where
    S: Service<Request<String>, Response = Response<String>, Error = BoxError, Future: Unpin>,
{
    type Response = Response<String>;
    type Error = BoxError;
    type Future = CatchPanicFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        CatchPanicFuture(catch_unwind(AssertUnwindSafe(|| self.0.call(request))).ok())
    }
}

pub(crate) struct CatchPanicFuture<F>(Option<F>);

impl<F> Future for CatchPanicFuture<F>
where
    F: Future<Output = Result<Response<String>, BoxError>> + Unpin,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = self
            .0
            .as_mut()
            .and_then(|future| catch_unwind(AssertUnwindSafe(|| Pin::new(future).poll(cx))).ok());
        polled.unwrap_or_else(|| {
            let response = Response::builder().status(500).body(String::new());
            Poll::Ready(Ok(response.expect("a response")))
        })
    }
}
