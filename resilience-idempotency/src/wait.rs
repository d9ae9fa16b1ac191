//! Waits of the runner: delays, timeouts, and futures that are ready at the first poll.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use pin_project_lite::pin_project;

use resilience_core::__internal::{Delay, LimitTimer, draw};

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

pin_project! {
    /// A future with a limit. The timer starts if the first poll is pending.
    ///
    /// A named type, because an async function would store the inner future twice: as its argument
    /// and as the pinned value.
    pub(super) struct Timeout<F> {
        limit: Duration,
        #[pin]
        future: F,
        #[pin]
        timer: Option<LimitTimer>,
    }
}

/// Returns the output of `future`, or `None` after `limit`.
pub(super) fn timeout<F: Future>(limit: Duration, future: F) -> Timeout<F> {
    Timeout { limit, future, timer: None }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(out) = this.future.poll(cx) {
            return Poll::Ready(Some(out));
        }
        if this.timer.is_none() {
            this.timer.set(Some(LimitTimer::start(*this.limit, None)));
        }
        match this.timer.as_pin_mut() {
            Some(timer) => timer.poll(cx).map(|_| None),
            None => Poll::Pending,
        }
    }
}

/// Lets other tasks run: pending at the first poll, and ready at the second.
pub(super) fn yield_now() -> impl Future<Output = ()> + Send {
    let mut has_yielded = false;
    poll_fn(move |cx| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
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
