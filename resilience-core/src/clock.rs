//! The one clock of sync and async code, and the two ways to wait. Only this file knows tokio.
//!
//! A test's virtual clock comes first, then tokio's where a runtime is current, so that a paused
//! test agrees with every policy, then the system's monotonic clock.

use core::future::Future;
use core::num::NonZeroU64;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

use futures_timer::Delay as NeutralTimer;
use pin_project_lite::pin_project;
#[cfg(feature = "tokio")]
use tokio::time::Sleep as TokioSleep;

use crate::test_overrides::{Override, find, none_active};

#[cfg(not(feature = "tokio"))]
type TokioSleep = core::future::Pending<()>;

/// A point in time, in nanoseconds from a fixed point 146 years before the process first asked.
///
/// One word, and never zero, so that a state that may hold one stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(NonZeroU64);

const ORIGIN: u64 = 1 << 62;

impl Timestamp {
    #[inline]
    fn from_instant(instant: Instant) -> Self {
        static ANCHOR: OnceLock<Instant> = OnceLock::new();
        let anchor = *ANCHOR.get_or_init(|| instant);
        match instant.checked_duration_since(anchor) {
            Some(since) => Self::at(ORIGIN.saturating_add(nanos(since))),
            None => Self::before(anchor, instant),
        }
    }

    #[cold]
    fn before(anchor: Instant, instant: Instant) -> Self {
        Self::at(ORIGIN.saturating_sub(nanos(anchor.saturating_duration_since(instant))))
    }

    fn at(nanos: u64) -> Self {
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self::at(nanos)
    }

    /// The time from `earlier` to here; zero where `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// Whole milliseconds, of which only the low bits are kept: they come round in 49 days.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    pub(crate) fn millis(self) -> u32 {
        (self.0.get() / 1_000_000) as u32
    }

    /// The nanoseconds, to be kept in an atomic word; never zero.
    pub(crate) fn word(self) -> u64 {
        self.0.get()
    }

    /// So much later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::at(self.0.get().saturating_add(nanos(by)))
    }

    pub(crate) fn minus(self, by: Duration) -> Self {
        Self::at(self.0.get().saturating_sub(nanos(by)))
    }
}

/// Whole nanoseconds, saturating after 584 years.
#[must_use]
pub fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// The present, by the clock that rules on this thread.
#[must_use]
pub fn now() -> Timestamp {
    if none_active() {
        return Timestamp::from_instant(real_now());
    }
    virtual_now().unwrap_or_else(|| Timestamp::from_instant(real_now()))
}

#[cfg(feature = "tokio")]
fn real_now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(not(feature = "tokio"))]
fn real_now() -> Instant {
    Instant::now()
}

/// The virtual clock of this thread, where a test has set one.
pub(crate) fn virtual_now() -> Option<Timestamp> {
    find(|entry| match entry {
        Override::Clock(now) => Some(*now),
        _ => None,
    })
}

/// How a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// The thread sleeps.
    Blocking,
    /// The task does.
    Async,
}

impl WaitMode {
    /// When a wait of `delay` that begins at `elapsed` ends at the latest.
    ///
    /// Tokio's timer counts whole milliseconds of its own and rounds up; a paused clock that is off
    /// them advances by whole ones besides. So times with fractions may end up to two later.
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

#[cfg(feature = "tokio")]
fn is_tokio_current() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

#[cfg(not(feature = "tokio"))]
fn is_tokio_current() -> bool {
    false
}

/// A wait that is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Delay(Duration);

impl Delay {
    /// Starts a wait of `delay`. A test's guard may do it here and now; the second value is the time
    /// so passed that no clock shows.
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

    /// WaitMode without blocking the thread.
    pub fn wait(self) -> Sleep {
        Sleep::new(self.0)
    }

    /// Blocks the thread; returns the time so passed that the clock does not show, as under a
    /// paused runtime.
    #[expect(clippy::must_use_candidate, reason = "most callers have waited, and that is all")]
    pub fn block(self) -> Duration {
        if self.0.is_zero() {
            return Duration::ZERO;
        }
        let before = now();
        thread::sleep(self.0);
        self.0.saturating_sub(now().since(before))
    }

    /// When a thread that blocks for something else gives up after this pause: by the system's clock,
    /// because no other goes on while it blocks. None where that is further than it can count.
    pub(crate) fn end(self) -> Option<Instant> {
        Instant::now().checked_add(self.0)
    }
}

pin_project! {
    /// A wait in progress. An enum and no `async fn`, which would store the duration as well.
    #[project = SleepProjection]
    #[must_use]
    #[allow(missing_docs, reason = "a field of a variant cannot be commented here")]
    pub enum Sleep {
        /// Nothing to wait for, but other tasks get their turn.
        Yield { yielded: bool },
        /// CallContext a tokio runtime.
        Tokio { #[pin] sleep: TokioSleep },
        /// CallContext any other.
        Neutral { #[pin] timer: NeutralTimer },
    }
}

/// The longest wait that a timer is asked for: one of 584 years would overflow its clock.
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
}

pin_project! {
    /// The end of somebody's time: ready with the time that there was.
    #[must_use]
    pub struct DeadlineTimer {
        limit: Duration,
        // Where a test has a clock of its own, which wakes nobody.
        end: Option<Timestamp>,
        #[pin]
        wait: Sleep,
    }
}

impl DeadlineTimer {
    /// Ends after `limit`, or at `bound` where that is earlier.
    pub fn start(limit: Duration, bound: Option<Timestamp>) -> Self {
        let limit = bound.map_or(limit, |bound| limit.min(bound.since(now())));
        let end = virtual_now().map(|now| now.plus(limit));
        Self { limit, end, wait: Sleep::new(limit) }
    }
}

impl Future for DeadlineTimer {
    type Output = Duration;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Duration> {
        let this = self.project();
        if this.end.zip(virtual_now()).is_some_and(|(end, now)| now >= end) {
            return Poll::Ready(*this.limit);
        }
        this.wait.poll(cx).map(|()| *this.limit)
    }
}

impl core::fmt::Debug for Sleep {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
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
