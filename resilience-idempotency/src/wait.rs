//! Waits of the runner: delays, timeouts, and futures that are ready at the first poll.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use resilience_core::__internal::{DeadlineTimer, Delay, draw};

/// Blocks the thread. Returns the time that passed on no clock, because a test guard or a paused
/// runtime skips waits.
pub(super) fn block_for(delay: Duration) -> Duration {
    let (delay, skipped) = Delay::start(delay);
    skipped.saturating_add(delay.block())
}

/// Returns the delay before the next poll: 25 ms, multiplied by 1.6 after each poll up to 1 s,
/// with a jitter of 20 %.
pub(super) fn poll_interval(polls: i32) -> Duration {
    let millis = (25.0 * 1.6_f64.powi(polls.min(20))).min(1000.0);
    Duration::from_secs_f64(millis * (0.8 + 0.4 * draw()) / 1000.0)
}

/// Returns the output of `future`, or `None` after `limit`. The timer starts only if the first
/// poll is pending.
pub(super) async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    if let Some(out) = poll_fn(|cx| Poll::Ready(poll_once(future.as_mut(), cx))).await {
        return Some(out);
    }
    let mut timer = pin!(DeadlineTimer::start(limit, None));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending => timer.as_mut().poll(cx).map(|_| None),
    })
    .await
}

fn poll_once<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Option<F::Output> {
    match future.poll(cx) {
        Poll::Ready(out) => Some(out),
        Poll::Pending => None,
    }
}

/// Returns the output of a future that is ready at the first poll, or `None`.
pub(super) fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    poll_once(pin!(future), &mut Context::from_waker(Waker::noop()))
}
