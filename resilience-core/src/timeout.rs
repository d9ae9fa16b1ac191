//! A timeout for a future.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::attempt_scope;
use crate::clock::{LimitTimer, Timestamp};
use crate::rejection_signal::RejectionSignal;

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
        // The body is polled first: a body that is ready wins over a timer that is ready too, and a
        // body that is ready at once needs no timer.
        match this.body.poll(cx) {
            Poll::Ready(out) => Poll::Ready(Ok(out)),
            // The time of a wait in place of a rejection belongs to the retry outside.
            Poll::Pending if attempt_scope::is_in_queue() => {
                this.timer.pause();
                Poll::Pending
            }
            Poll::Pending => this.timer.poll(cx).map(Err),
        }
    }
}

/// Runs `body` as [`timeout`] does, below a retry of the same function that may wait for
/// rejections. With a `patience` the time starts when the call leaves the queues of the limits
/// below: a wait in place of a rejection belongs to the retry.
///
/// # Errors
/// Returns the allowed time if the time ends before `body` does.
#[inline]
pub fn timeout_after_queue<F: Future>(
    limit: Duration,
    bound: Option<Timestamp>,
    patience: u64,
    signal: &RejectionSignal,
    body: F,
) -> TimeoutAfterQueue<'_, F> {
    let timer = Some(LimitTimer::new(limit, bound));
    let signal = (patience > 0).then_some(signal);
    TimeoutAfterQueue { body, signal, limit, bound, timer }
}

pin_project! {
    /// The future of [`timeout_after_queue`].
    #[must_use]
    pub struct TimeoutAfterQueue<'s, F> {
        #[pin]
        body: F,
        signal: Option<&'s RejectionSignal>,
        limit: Duration,
        bound: Option<Timestamp>,
        // `None` in a queue.
        #[pin]
        timer: Option<LimitTimer>,
    }
}

impl<F> core::fmt::Debug for TimeoutAfterQueue<'_, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TimeoutAfterQueue").finish_non_exhaustive()
    }
}

impl<F: Future> Future for TimeoutAfterQueue<'_, F> {
    type Output = Result<F::Output, Duration>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(out) = this.body.poll(cx) {
            return Poll::Ready(Ok(out));
        }
        let in_queue = this.signal.is_some_and(RejectionSignal::is_in_queue);
        if in_queue || attempt_scope::is_in_queue() {
            this.timer.set(None);
            return Poll::Pending;
        }
        if this.timer.is_none() {
            this.timer.set(Some(LimitTimer::new(*this.limit, *this.bound)));
        }
        match this.timer.as_pin_mut() {
            Some(timer) => timer.poll(cx).map(Err),
            None => Poll::Pending,
        }
    }
}
