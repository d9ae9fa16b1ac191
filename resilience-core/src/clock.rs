//! The clock of sync and async code, and the two ways to wait. Only this file uses tokio.
//!
//! The virtual clock of a test comes first. Tokio's clock comes second, inside a runtime, so that
//! a paused test agrees with every policy. The monotonic clock of the system comes last.

use core::future::Future;
use core::num::NonZeroU64;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use futures_timer::Delay as NeutralTimer;
use pin_project_lite::pin_project;
#[cfg(feature = "tokio")]
use tokio::time::Sleep as TokioSleep;

use crate::instant::{instant_nanos, usual_nanos};
use crate::test_overrides::{Override, find, none_active};

#[cfg(not(feature = "tokio"))]
type TokioSleep = core::future::Pending<()>;

/// A point in time, in nanoseconds from a fixed point 146 years before the origin of the system's
/// clock, which is the start of the machine on most platforms.
///
/// A single word, never zero, so that an `Option<Timestamp>` stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(NonZeroU64);

const ORIGIN: NonZeroU64 = match NonZeroU64::new(1 << 62) {
    Some(origin) => origin,
    None => NonZeroU64::MIN,
};

/// The end of a [`LimitTimer`] whose time was over at the start: 146 years before the origin.
const OVER: Timestamp = Timestamp(NonZeroU64::MIN);

impl Timestamp {
    /// The last point in time.
    pub(crate) const MAX: Self = Self(NonZeroU64::MAX);

    #[inline]
    pub(crate) fn from_instant(instant: Instant) -> Self {
        match usual_nanos(instant) {
            // The sum of the two: the nanoseconds are below the origin.
            Some(nanos) => Self(ORIGIN | nanos),
            None => Self::from_other(instant),
        }
    }

    #[cold]
    #[inline(never)]
    fn from_other(instant: Instant) -> Self {
        // One bound for an instant before the fixed point.
        let nanos = instant_nanos(instant).max(1 - (1 << 62));
        Self::at(ORIGIN.get().wrapping_add_signed(nanos))
    }

    #[inline]
    fn at(nanos: u64) -> Self {
        Self(NonZeroU64::new(nanos).unwrap_or(NonZeroU64::MIN))
    }

    #[inline]
    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self::at(nanos)
    }

    /// Returns the time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    #[inline]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// Returns the low 32 bits of the milliseconds, which wrap after 49 days.
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    pub(crate) fn millis(self) -> u32 {
        (self.0.get() / 1_000_000) as u32
    }

    /// Returns the low 32 bits of the seconds, which wrap after 136 years.
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    pub(crate) fn seconds(self) -> u32 {
        (self.0.get() / 1_000_000_000) as u32
    }

    /// Returns the nanoseconds, for an atomic word; never zero.
    #[must_use]
    #[inline]
    pub fn word(self) -> u64 {
        self.0.get()
    }

    /// Returns the timestamp `by` later.
    #[must_use]
    #[inline]
    pub fn plus(self, by: Duration) -> Self {
        Self::at(self.0.get().saturating_add(nanos(by)))
    }

    /// Returns the timestamp `by` earlier.
    pub(crate) fn minus(self, by: Duration) -> Self {
        Self::at(self.0.get().saturating_sub(nanos(by)))
    }
}

/// Returns the nanoseconds of a duration, saturating after 584 years.
#[must_use]
#[inline]
pub fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// Returns the current time by the clock of this thread.
#[must_use]
#[inline]
pub fn now() -> Timestamp {
    if none_active() { real_time() } else { overridden_now() }
}

#[cold]
#[inline(never)]
fn overridden_now() -> Timestamp {
    virtual_now().unwrap_or_else(real_time)
}

/// Returns the current time where no test has a clock: of the counter of the processor, unless a
/// test may pause tokio's clock.
#[inline]
#[cfg(feature = "fast-clock")]
pub(crate) fn real_time() -> Timestamp {
    if pausable::IS_PAUSABLE {
        Timestamp::from_instant(real_now())
    } else {
        crate::counter_clock::now()
    }
}

/// Returns the current time where no test has a clock.
#[inline]
#[cfg(not(feature = "fast-clock"))]
pub(crate) fn real_time() -> Timestamp {
    Timestamp::from_instant(real_now())
}

/// Returns the time of an instant just read, by the clock of [`now`].
#[inline]
fn time_of(instant: Instant) -> Timestamp {
    if cfg!(feature = "fast-clock") { real_time() } else { Timestamp::from_instant(instant) }
}

/// Whether tokio's clock can be paused: whether a crate of the program has turned on the feature
/// `test-util` of tokio. Without the feature, tokio's clock is the clock of the system.
#[cfg(all(feature = "fast-clock", feature = "tokio"))]
mod pausable {
    #![allow(dead_code, unused_imports, reason = "with `test-util` tokio has the name `pause`")]
    #![allow(clippy::wildcard_imports, reason = "an import by name fails without `test-util`")]

    /// The result of [`pause`] without `test-util`.
    struct Absent;

    /// The function without `test-util`: an import by `*` in a block hides the names around it.
    fn pause() -> Absent {
        Absent
    }

    trait Pause {
        const IS_TOKIOS: bool;
    }

    impl Pause for Absent {
        const IS_TOKIOS: bool = false;
    }

    impl Pause for () {
        const IS_TOKIOS: bool = true;
    }

    const fn is_tokios<R: Pause>(_: fn() -> R) -> bool {
        R::IS_TOKIOS
    }

    pub(super) const IS_PAUSABLE: bool = {
        use tokio::time::*;
        is_tokios(pause)
    };
}

#[cfg(all(feature = "fast-clock", not(feature = "tokio")))]
mod pausable {
    pub(super) const IS_PAUSABLE: bool = false;
}

#[inline]
#[cfg(feature = "tokio")]
fn real_now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(not(feature = "tokio"))]
fn real_now() -> Instant {
    Instant::now()
}

/// Returns the virtual time of this thread, if a test has set a clock.
pub(crate) fn virtual_now() -> Option<Timestamp> {
    find(|entry| match entry {
        Override::Clock(now) => Some(*now),
        _ => None,
    })
}

/// Returns whether this thread runs in virtual time: under the clock of a test, or in a paused
/// runtime of tokio. A real clock of tokio is never before or after the clock of the system.
pub(crate) fn is_virtual() -> bool {
    let (before, now) = (Instant::now(), real_now());
    virtual_now().is_some() || now < before || now > Instant::now()
}

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

#[cfg(feature = "tokio")]
fn is_tokio_current() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

#[cfg(not(feature = "tokio"))]
fn is_tokio_current() -> bool {
    false
}

#[cfg(feature = "tokio")]
pub(crate) use tokio::task::JoinHandle;

/// Spawns a task on the current tokio runtime.
#[cfg(feature = "tokio")]
pub(crate) fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(task)
}

/// Spawns a task on the current tokio runtime, or returns the task where no runtime is current.
///
/// # Errors
///
/// Returns the task outside a tokio runtime, and without the feature `tokio`.
pub fn spawn_on_tokio<F>(task: F) -> Result<(), F>
where
    F: Future<Output = ()> + Send + 'static,
{
    #[cfg(feature = "tokio")]
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(task);
        return Ok(());
    }
    Err(task)
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
}

pin_project! {
    /// A timer for a deadline: ready with the allowed time.
    #[must_use]
    pub struct DeadlineTimer {
        limit: Duration,
        // The end by a virtual clock, if a test has set a clock; a virtual clock wakes no task.
        end: Option<Timestamp>,
        #[pin]
        wait: Sleep,
    }
}

impl DeadlineTimer {
    /// Starts a timer that ends after `limit`, or at `bound` if earlier.
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

pin_project! {
    /// A timer for a time limit: ready with the limit. The limit counts from the creation on. The
    /// first poll asks for a timer of tokio.
    #[must_use]
    pub(crate) struct LimitTimer {
        // In nanoseconds: one word in the future of every timeout.
        limit: u64,
        // `NEVER` without a limit or while paused, and `OVER` if the time was over at the start.
        end: Timestamp,
        #[pin]
        wait: LimitWait,
    }
}

const NEVER: Timestamp = Timestamp::MAX;

/// The start of a [`LimitTimer`], in four words: functions that return the timer itself copy the
/// timer of tokio inside.
pub(crate) struct LimitStart {
    start: Instant,
    limit: u64,
    end: Timestamp,
}

pin_project! {
    #[project = LimitWaitProjection]
    enum LimitWait {
        NotStarted { start: Instant },
        Started { #[pin] sleep: Sleep },
        Paused,
    }
}

impl LimitTimer {
    #[inline]
    pub(crate) fn started(LimitStart { start, limit, end }: LimitStart) -> Self {
        Self { limit, end, wait: LimitWait::NotStarted { start } }
    }

    /// Starts the limit of a body that has started: the time of the body is never over at the
    /// start.
    #[cold]
    pub(crate) fn after_queue(limit: Duration, bound: Option<Timestamp>) -> Self {
        let start = LimitStart::new(limit, bound);
        let timer = Self::started(start);
        if timer.is_over() { Self { limit: 1, end: NEVER, ..timer } } else { timer }
    }

    /// Returns the end; the end of the clock without a limit. A paused timer would start now.
    #[inline]
    pub(crate) fn end(&self) -> Timestamp {
        if self.end == NEVER { self.end_if_paused() } else { self.end }
    }

    #[cold]
    #[inline(never)]
    fn end_if_paused(&self) -> Timestamp {
        let is_paused = matches!(self.wait, LimitWait::Paused);
        if is_paused { now().plus(Duration::from_nanos(self.limit)) } else { NEVER }
    }

    /// Returns whether the bound had passed at the start.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.end == OVER
    }

    /// Stops the timer. [`resume`](Self::resume) starts the time again, with the whole limit.
    pub(crate) fn pause(self: Pin<&mut Self>) {
        let mut this = self.project();
        *this.end = NEVER;
        this.wait.set(LimitWait::Paused);
    }

    /// Starts the time of a paused timer again, which ends at the bound if earlier.
    #[inline]
    pub(crate) fn resume(mut self: Pin<&mut Self>, bound: impl FnOnce() -> Option<Timestamp>) {
        if matches!(self.wait, LimitWait::Paused) {
            let limit = Duration::from_nanos(self.limit);
            self.set(Self::after_queue(limit, bound()));
        }
    }

    #[inline(never)]
    fn poll_other(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let limit = Duration::from_nanos(self.limit);
        let mut this = self.project();
        // A virtual clock wakes no task.
        if !none_active() && virtual_now().is_some_and(|now| now >= *this.end) {
            return Poll::Ready(());
        }
        if let LimitWaitProjection::NotStarted { start } = this.wait.as_mut().project() {
            let sleep = Sleep::since(*start, limit);
            this.wait.set(LimitWait::Started { sleep });
        }
        match this.wait.project() {
            LimitWaitProjection::Started { sleep } => sleep.poll(cx),
            LimitWaitProjection::NotStarted { .. } | LimitWaitProjection::Paused => Poll::Pending,
        }
    }
}

impl LimitStart {
    /// Starts a limit that nothing shortens or overrides.
    #[inline]
    pub(crate) fn plain(limit: Duration) -> Self {
        let (start, limit) = (real_now(), nanos(limit));
        let end = Timestamp::at(time_of(start).word().saturating_add(limit));
        Self { start, limit, end }
    }

    /// Starts a limit, which ends at `bound` if earlier.
    pub(crate) fn new(limit: Duration, bound: Option<Timestamp>) -> Self {
        let start = real_now();
        let virtual_now = if none_active() { None } else { virtual_now() };
        let now = virtual_now.unwrap_or_else(|| time_of(start));
        let limit = nanos(limit);
        let limit = bound.map_or(limit, |bound| limit.min(nanos(bound.since(now))));
        let end = match limit {
            0 if bound.is_some() => OVER,
            limit => Timestamp::at(now.word().saturating_add(limit)),
        };
        Self { start, limit, end }
    }
}

impl Future for LimitTimer {
    type Output = Duration;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Duration> {
        let wait = self.as_mut().project().wait;
        // A further poll inside a runtime of tokio is a poll of the timer of tokio alone.
        let polled = match wait.project() {
            LimitWaitProjection::Started { sleep } if none_active() => match sleep.project() {
                SleepProjection::Tokio { sleep } => sleep.poll(cx),
                _ => self.as_mut().poll_other(cx),
            },
            _ => self.as_mut().poll_other(cx),
        };
        polled.map(|()| Duration::from_nanos(self.limit))
    }
}

impl Sleep {
    /// Returns a wait of `delay` that began at `start`. Inside a tokio runtime, does not read the
    /// clock.
    fn since(start: Instant, delay: Duration) -> Self {
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
