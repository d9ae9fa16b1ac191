//! The two ways to wait: a thread blocks, or a task sleeps.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use futures_timer::Delay as NeutralTimer;
use pin_project_lite::pin_project;
#[cfg(feature = "tokio")]
use tokio::time::Sleep as TokioSleep;

use super::{is_tokio_current, now, virtual_now};
use crate::test_overrides::{Override, find};

#[cfg(not(feature = "tokio"))]
type TokioSleep = core::future::Pending<()>;

/// How a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// Blocks the thread.
    Blocking,
    /// Suspends the task.
    Async,
}

impl WaitMode {
    /// Returns the latest end of a wait of `delay` that starts at `elapsed`.
    ///
    /// Tokio's timer rounds up to whole milliseconds. A paused clock with a fraction advances by
    /// whole milliseconds as well. So waits with fractions may end up to 2 ms later.
    pub(crate) fn end(self, elapsed: Duration, delay: Duration) -> Duration {
        let end = elapsed.saturating_add(delay);
        let whole = [elapsed, delay].iter().all(|time| time.subsec_nanos() % 1_000_000 == 0);
        let exact = whole || delay.is_zero() || self == Self::Blocking;
        if exact || virtual_now().is_some() || !is_tokio_current() {
            end
        } else {
            end.saturating_add(Duration::from_millis(2))
        }
    }
}

/// A delay that has not been waited yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Delay(Duration);

impl Delay {
    /// Starts a delay. A guard of a test may pass the time at once. The second value is the passed
    /// time that no clock shows.
    pub fn start(delay: Duration) -> (Self, Duration) {
        let unseen = find(|entry| match entry {
            Override::Clock(now) => {
                *now = now.plus(delay);
                Some(Duration::ZERO)
            }
            Override::NoWaits => Some(delay),
            Override::Draws(_) | Override::State(_) => None,
        });
        match unseen {
            Some(unseen) => (Self(Duration::ZERO), unseen),
            None => (Self(delay), Duration::ZERO),
        }
    }

    /// Returns the time of a delay that no clock shows if other code starts the delay.
    #[must_use]
    pub fn unseen(delay: Duration) -> Duration {
        let unseen = find(|entry| match entry {
            Override::Clock(_) => Some(Duration::ZERO),
            Override::NoWaits => Some(delay),
            Override::Draws(_) | Override::State(_) => None,
        });
        unseen.unwrap_or_default()
    }

    /// Waits without blocking the thread.
    pub fn wait(self) -> Sleep {
        Sleep::new(self.0)
    }

    /// Blocks the thread. Returns the passed time that the clock does not show, as under a paused
    /// runtime.
    #[expect(clippy::must_use_candidate, reason = "most callers need no result")]
    pub fn block(self) -> Duration {
        if self.0.is_zero() {
            return Duration::ZERO;
        }
        let before = now();
        thread::sleep(self.0);
        self.0.saturating_sub(now().since(before))
    }

    /// Returns the instant at which a blocked thread stops waiting for an event, by the system's
    /// clock: no other clock advances while the thread blocks. `None` if the instant is out of
    /// range.
    pub(crate) fn end(self) -> Option<Instant> {
        Instant::now().checked_add(self.0)
    }
}

pin_project! {
    /// A wait in progress. An enum, because an `async fn` would store the duration as well.
    #[project = SleepProjection]
    #[must_use]
    #[allow(missing_docs, reason = "`pin_project` accepts no comment on a field of a variant")]
    pub enum Sleep {
        /// No delay, but other tasks get a turn.
        Yield { yielded: bool },
        /// Inside a tokio runtime.
        Tokio { #[pin] sleep: TokioSleep },
        /// Outside a tokio runtime.
        Neutral { #[pin] timer: NeutralTimer },
    }
}

/// The longest delay for a timer; 584 years would overflow the clock of the timer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Sleep {
    fn new(delay: Duration) -> Self {
        if delay.is_zero() {
            return Self::Yield { yielded: false };
        }
        let delay = delay.min(LONGEST);
        #[cfg(feature = "tokio")]
        if is_tokio_current() {
            return Self::Tokio { sleep: tokio::time::sleep(delay) };
        }
        Self::Neutral { timer: NeutralTimer::new(delay) }
    }

    /// Returns a wait of `delay` that began at `start`. Inside a tokio runtime, does not read the
    /// clock.
    pub(super) fn since(start: Instant, delay: Duration) -> Self {
        if delay.is_zero() {
            return Self::new(delay);
        }
        let delay = delay.min(LONGEST);
        #[cfg(feature = "tokio")]
        if is_tokio_current() {
            let end = start.checked_add(delay).unwrap_or(start);
            return Self::Tokio { sleep: tokio::time::sleep_until(end.into()) };
        }
        Self::Neutral { timer: NeutralTimer::new(delay.saturating_sub(start.elapsed())) }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            SleepProjection::Yield { yielded: true } => Poll::Ready(()),
            SleepProjection::Yield { yielded } => {
                *yielded = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            SleepProjection::Tokio { sleep } => sleep.poll(cx),
            SleepProjection::Neutral { timer } => timer.poll(cx),
        }
    }
}
