//! Work that survives a disconnect of the client, limits in time, and panics that cross a task.

use core::any::Any;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use resilience_core::__internal::{LimitTimer, in_current_span};
use tokio::runtime::Handle;

/// The payload of a panic.
pub(super) type Panic = Box<dyn Any + Send>;

/// Runs a future as a separate task, and returns the output.
///
/// The task continues after the caller drops the returned future. The output is `None` if the
/// runtime stops first. Without a tokio runtime, the future runs in place.
pub(super) async fn run_in_background<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let Ok(runtime) = Handle::try_current() else { return Some(work.await) };
    // Events of the task belong to the span of the request.
    match runtime.spawn(in_current_span(work)).await {
        Ok(out) => Some(out),
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => None,
        },
    }
}

/// Returns the output of a future, or `None` after `limit`.
pub(super) async fn timeout<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let (mut work, mut timer) = (pin!(work), pin!(LimitTimer::start(limit, None)));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending => timer.as_mut().poll(cx).map(|_| None),
    })
    .await
}

/// Returns the output of a future, or the panic that ended the future.
pub(super) async fn catch_panic<F: Future>(work: F) -> Result<F::Output, Panic> {
    let mut work = pin!(work);
    // After a panic the future is dropped without another poll, so no broken state is observed.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
