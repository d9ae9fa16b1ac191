//! A timeout for a future.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::clock::{LimitTimer, Timestamp};

/// Runs `body` for at most `limit`, and at most until `bound`. The limit in use comes from
/// [`Site::limit_in_use`](crate::registry::Site::limit_in_use).
///
/// # Errors
/// Returns the allowed time if the time ends before `body` does.
#[inline]
pub fn timeout<F: Future>(limit: Duration, bound: Option<Timestamp>, body: F) -> Timeout<F> {
    let timer = LimitTimer::new(limit, bound);
    Timeout { body, timer }
}

pin_project! {
    /// The future of [`timeout`]. An `async fn` would store the arguments a second time.
    #[must_use]
    pub struct Timeout<F> {
        #[pin]
        body: F,
        #[pin]
        timer: LimitTimer,
    }
}

impl<F> core::fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timeout").finish_non_exhaustive()
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Duration>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The body is polled first: a body that is ready wins over a timer that is ready too. A body
        // that is ready at once needs no timer.
        match this.body.poll(cx) {
            Poll::Ready(out) => Poll::Ready(Ok(out)),
            Poll::Pending => this.timer.poll(cx).map(Err),
        }
    }
}
