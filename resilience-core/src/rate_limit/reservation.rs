//! Reservations of permits, and waiting for a reserved permit.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::RateLimiter;
use super::gcra::Grant;
use crate::clock::{Delay, Sleep, now};
use crate::rejected::Rejected;

/// A reserved permit with a start time. Made by [`RateLimiter::reserve`].
///
/// If dropped before the start time, the permit is returned, unless a later permit has been
/// reserved: later reservations keep their times, so this permit is lost.
#[must_use = "a reservation dropped before its start time returns the permit"]
pub struct Reservation<'l> {
    /// `None` if there is no wait and no permit to return.
    grant: Option<(&'l RateLimiter, Grant)>,
}

impl<'l> Reservation<'l> {
    pub(super) fn now() -> Self {
        Self { grant: None }
    }

    pub(super) fn later(limiter: &'l RateLimiter, grant: Grant) -> Self {
        Self { grant: Some((limiter, grant)) }
    }

    /// Returns the time until the call may start; zero if the call may start now.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.grant.map_or(Duration::ZERO, |(_, grant)| remaining(grant))
    }

    /// Blocks the thread until the call may start.
    pub fn wait_blocking(self) {
        // Waited even if the clock shows no progress, as under a paused clock.
        let delay = self.delay();
        Delay::start(delay).0.block();
        self.consume();
    }

    /// Keeps the permit: the call starts.
    fn consume(mut self) {
        self.grant = None;
    }
}

fn remaining(grant: Grant) -> Duration {
    Duration::from_nanos(grant.ready.saturating_sub(now().word()))
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some((limiter, grant)) = self.grant {
            if !remaining(grant).is_zero() {
                limiter.gcra.release(grant);
            }
        }
    }
}

impl fmt::Debug for Reservation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("delay", &self.delay()).finish()
    }
}

pin_project! {
    /// A future that waits for a permit. See [`RateLimiter::acquire`].
    ///
    /// The first poll reserves the permit. If dropped while waiting, the permit is returned as for
    /// a [`Reservation`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct RateLimitAcquire<'l> {
        limiter: &'l RateLimiter,
        reservation: Option<Reservation<'l>>,
        #[pin]
        wait: Option<Sleep>,
    }
}

impl<'l> RateLimitAcquire<'l> {
    pub(super) fn new(limiter: &'l RateLimiter) -> Self {
        Self { limiter, reservation: None, wait: None }
    }
}

impl Future for RateLimitAcquire<'_> {
    type Output = Result<(), Rejected>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        let mut this = self.project();
        if this.reservation.is_none() {
            let reservation = match this.limiter.reserve() {
                Ok(reservation) => reservation,
                Err(rejected) => return Poll::Ready(Err(rejected)),
            };
            let delay = reservation.delay();
            if delay.is_zero() {
                return Poll::Ready(Ok(()));
            }
            *this.reservation = Some(reservation);
            this.wait.set(Some(Delay::start(delay).0.wait()));
        }
        if let Some(Poll::Pending) = this.wait.as_mut().as_pin_mut().map(|wait| wait.poll(cx)) {
            return Poll::Pending;
        }
        if let Some(reservation) = this.reservation.take() {
            reservation.consume();
        }
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for RateLimitAcquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitAcquire")
            .field("limiter", self.limiter)
            .field("reservation", &self.reservation)
            .finish_non_exhaustive()
    }
}
