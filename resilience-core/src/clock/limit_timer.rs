//! The timer of a time limit, of a deadline and of a delay.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::Instant;

use pin_project_lite::pin_project;

use super::wait::{Sleep, SleepProjection};
use super::{Timestamp, nanos, now, real_now, time_of, virtual_now};
use crate::test_overrides::none_active;

pin_project! {
    /// A timer for a time limit: ready with the limit. The limit counts from the creation on. The
    /// first poll asks for a timer of tokio.
    #[must_use]
    pub struct LimitTimer {
        // In nanoseconds: one word in the future of every timeout.
        limit: u64,
        // `NEVER` without a limit or while paused, and `OVER` if the time was over at the start.
        end: Timestamp,
        #[pin]
        wait: LimitWait,
    }
}

const NEVER: Timestamp = Timestamp::MAX;

/// The end of a timer whose time was over at the start.
const OVER: Timestamp = Timestamp::MIN;

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
    /// Starts a timer that ends after `limit`, or at `bound` if earlier.
    pub fn start(limit: Duration, bound: Option<Timestamp>) -> Self {
        Self::started(LimitStart::new(limit, bound))
    }

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

    /// Ends at the bound if earlier, unless the timer was polled. The body has started, so its time
    /// is not over at the start.
    pub(crate) fn shorten(self: Pin<&mut Self>, bound: impl FnOnce() -> Option<Timestamp>) {
        let this = self.project();
        if !matches!(*this.wait, LimitWait::NotStarted { .. }) {
            return;
        }
        if let Some(bound) = bound().filter(|bound| bound < this.end) {
            let less = nanos(this.end.since(bound));
            *this.limit = this.limit.saturating_sub(less).max(1);
            *this.end = bound;
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
        let end = Timestamp::from_nanos(time_of(start).word().saturating_add(limit));
        Self { start, limit, end }
    }

    /// Starts a limit, which ends at `bound` if earlier.
    pub(crate) fn new(limit: Duration, bound: Option<Timestamp>) -> Self {
        let start = real_now();
        let virtual_now = if none_active() { None } else { virtual_now() };
        let now = virtual_now.unwrap_or_else(|| time_of(start));
        let limit = nanos(limit);
        let limit = bound.map_or(limit, |bound| limit.min(nanos(bound.since(now))));
        let end = match bound {
            Some(bound) if bound <= now => OVER,
            _ => Timestamp::from_nanos(now.word().saturating_add(limit)),
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
