//! A timeout for a future.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use crate::attempt_scope;
use crate::clock::{LimitStart, LimitTimer, Timestamp};
use crate::context::current::{self, CallId, DeadlineGuard, NamedDeadlineGuard, new_call};
use crate::context::retried::{self, BoundedCall};
use crate::mode;
use crate::registry::{Site, TimedFunction};
use crate::rejection_signal::RejectionSignal;

/// The site of a timeout.
pub trait TimeoutSite {
    /// Restores the deadline.
    type Guard;

    /// The identity.
    fn site(&self) -> &Site;

    /// Sets the deadline of the calls inside of `call`. In an attempt of a retry that waits for
    /// rejections (`is_patient`), the deadline does not bound such a wait.
    fn enter(&self, end: Timestamp, is_patient: bool, call: CallId) -> Self::Guard;
}

impl TimeoutSite for &'static TimedFunction {
    type Guard = DeadlineGuard;

    #[inline]
    fn site(&self) -> &Site {
        &self.site
    }

    #[inline]
    fn enter(&self, end: Timestamp, is_patient: bool, call: CallId) -> DeadlineGuard {
        current::enter_deadline(end, &self.setter, is_patient, call)
    }
}

/// A layer of `tower`.
impl TimeoutSite for Site {
    type Guard = Option<NamedDeadlineGuard>;

    fn site(&self) -> &Site {
        self
    }

    fn enter(&self, end: Timestamp, is_patient: bool, call: CallId) -> Self::Guard {
        current::enter_named_deadline(end, self.name, is_patient, call)
    }
}

/// Runs `body` for at most `limit`, and at most until `bound` and the deadline of the context. The
/// end is the deadline of the calls inside, set by the function of `site`. `limit` is the limit of
/// the code, which a setting may override.
///
/// # Errors
/// Returns the allowed time if the time ends before `body` does, and `None` after the deadline: the
/// body does not start.
#[inline]
pub fn timeout<S: TimeoutSite, F: Future>(
    limit: Duration,
    bound: Option<Timestamp>,
    site: S,
    body: F,
) -> Timeout<S, F> {
    let is_plain = bound.is_none() && mode::is_plain_with_deadlines() && !current::has_deadline();
    let start = if is_plain { LimitStart::plain(limit) } else { start(limit, bound, &site) };
    Timeout { body, timer: LimitTimer::started(start), site, call: new_call() }
}

/// Runs the future of `call` as [`timeout`] does, with the deadline also for the code of `call`.
///
/// # Errors
/// Returns `None` after the deadline of the context; `call` does not run.
pub fn timeout_call<F: Future>(
    limit: Duration,
    site: Site,
    call: impl FnOnce() -> F,
) -> Result<Timeout<Site, F>, Option<Duration>> {
    let timer = LimitTimer::started(start(limit, None, &site));
    if timer.is_over() {
        return Err(None);
    }
    let id = new_call();
    let scope = site.enter(timer.end(), attempt_scope::is_patient(0), id);
    let body = call();
    drop(scope);
    Ok(Timeout { body, timer, site, call: id })
}

/// Starts a limit in any mode of the process, and below a deadline.
#[inline(never)]
fn start(limit: Duration, bound: Option<Timestamp>, site: &impl TimeoutSite) -> LimitStart {
    current::expect_deadlines();
    let limit = site.site().limit_in_use(limit);
    LimitStart::new(limit, current::earlier(bound, outside(site)))
}

/// Returns the deadline of the context, unless the function of `site` has set the deadline.
#[inline]
fn outside(site: &impl TimeoutSite) -> Option<Timestamp> {
    current::deadline_outside(Some(site.site().location))
}

/// Ends a call, whose deadline was `end` for the calls inside.
#[cold]
fn ended<T>(call: CallId, end: Timestamp, limit: Duration) -> Result<T, Option<Duration>> {
    retried::end(BoundedCall { end, call });
    Err(Some(limit))
}

pin_project! {
    /// The future of [`timeout`]. An `async fn` would store the arguments a second time.
    #[must_use]
    pub struct Timeout<S, F> {
        #[pin]
        body: F,
        #[pin]
        timer: LimitTimer,
        site: S,
        call: CallId,
    }
}

impl<S, F> core::fmt::Debug for Timeout<S, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Timeout").finish_non_exhaustive()
    }
}

impl<F> Timeout<Site, F> {
    /// Before the first poll, takes the deadline of the code that polls, if earlier: the future of
    /// a layer may be made in one place and awaited in another.
    pub fn take_deadline(self: Pin<&mut Self>) {
        let this = self.project();
        this.timer.shorten(|| outside(this.site));
    }
}

impl<S: TimeoutSite, F: Future> Future for Timeout<S, F> {
    type Output = Result<F::Output, Option<Duration>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.timer.is_over() {
            return Poll::Ready(Err(None));
        }
        let scope = this.site.enter(this.timer.end(), attempt_scope::is_patient(0), *this.call);
        // The body is polled first: a body that is ready wins over a timer that is ready too, and a
        // body that is ready at once needs no timer.
        let polled = this.body.poll(cx);
        drop(scope);
        match polled {
            Poll::Ready(out) => Poll::Ready(Ok(out)),
            // The time of a wait in place of a rejection belongs to the retry outside.
            Poll::Pending if attempt_scope::is_patient(0) && attempt_scope::is_in_queue() => {
                this.timer.pause();
                Poll::Pending
            }
            Poll::Pending => {
                this.timer.as_mut().resume(|| outside(this.site));
                let end = this.timer.end();
                this.timer.poll(cx).map(|limit| ended(*this.call, end, limit))
            }
        }
    }
}

/// Runs `body` as [`timeout`] does, below a retry of the same function that may wait for
/// rejections. With a `patience` the time starts when the call leaves the queues of the limits
/// below: a wait in place of a rejection belongs to the retry.
///
/// # Errors
/// Returns the allowed time if the time ends before `body` does, and `None` after the deadline: the
/// body does not start.
#[inline]
pub fn timeout_after_queue<S: TimeoutSite, F: Future>(
    limit: Duration,
    bound: Option<Timestamp>,
    site: S,
    patience: u64,
    signal: &RejectionSignal,
    body: F,
) -> TimeoutAfterQueue<'_, S, F> {
    let bound = current::earlier(bound, outside(&site));
    let limit = site.site().limit_in_use(limit);
    let timer = Some(LimitTimer::started(LimitStart::new(limit, bound)));
    let signal = (patience > 0).then_some(signal);
    current::expect_deadlines();
    TimeoutAfterQueue { body, signal, limit, bound, timer, site, call: new_call() }
}

pin_project! {
    /// The future of [`timeout_after_queue`].
    #[must_use]
    pub struct TimeoutAfterQueue<'s, S, F> {
        #[pin]
        body: F,
        signal: Option<&'s RejectionSignal>,
        limit: Duration,
        bound: Option<Timestamp>,
        // `None` in a queue.
        #[pin]
        timer: Option<LimitTimer>,
        site: S,
        call: CallId,
    }
}

impl<S, F> core::fmt::Debug for TimeoutAfterQueue<'_, S, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TimeoutAfterQueue").finish_non_exhaustive()
    }
}

impl<S: TimeoutSite, F: Future> Future for TimeoutAfterQueue<'_, S, F> {
    type Output = Result<F::Output, Option<Duration>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (limit, bound) = (*this.limit, *this.bound);
        let end = match this.timer.as_ref().get_ref() {
            Some(timer) if timer.is_over() => return Poll::Ready(Err(None)),
            Some(timer) => timer.end(),
            None => LimitTimer::after_queue(limit, bound).end(),
        };
        let is_patient = this.signal.is_some() || attempt_scope::is_patient(0);
        let scope = this.site.enter(end, is_patient, *this.call);
        let polled = this.body.poll(cx);
        drop(scope);
        if let Poll::Ready(out) = polled {
            return Poll::Ready(Ok(out));
        }
        let in_queue = this.signal.is_some_and(RejectionSignal::is_in_queue);
        if in_queue || attempt_scope::is_in_queue() {
            this.timer.set(None);
            return Poll::Pending;
        }
        if this.timer.is_none() {
            this.timer.set(Some(LimitTimer::after_queue(limit, bound)));
        }
        match this.timer.as_pin_mut() {
            Some(timer) => timer.poll(cx).map(|limit| ended(*this.call, end, limit)),
            None => Poll::Pending,
        }
    }
}
