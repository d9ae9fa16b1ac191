//! Reservations of permits for fixed times.

use core::fmt;
use core::time::Duration;

use super::pace::Grant;
use super::{Defined, Definition, RateLimiter};
use crate::clock::{Delay, now};

/// A reserved permit with a start time. Made by [`RateLimiter::reserve`].
///
/// The start time is fixed. If dropped before the start time, the permit is returned: to the
/// waiting calls behind, which move up, or else to the next call. A changed rate and a reset move
/// all permits, so an earlier reservation returns no permit.
#[must_use = "a reservation dropped before its start time returns the permit"]
pub struct Reservation<'l, D: Defined = Definition> {
    /// `None` if there is no wait and no permit to return.
    grant: Option<(&'l RateLimiter<D>, Grant)>,
}

impl<'l, D: Defined> Reservation<'l, D> {
    pub(super) fn now() -> Self {
        Self { grant: None }
    }

    pub(super) fn later(limiter: &'l RateLimiter<D>, grant: Grant) -> Self {
        Self { grant: Some((limiter, grant)) }
    }

    /// Returns the time until the call may start; zero if the call may start now.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.grant.map_or(Duration::ZERO, |(limiter, grant)| limiter.remaining(grant.turn))
    }

    /// Blocks the thread until the call may start.
    pub fn wait_blocking(self) {
        loop {
            let (start, delay) = (now(), self.delay());
            Delay::start(delay).0.block();
            // Later if the share of a shared limiter has become smaller meanwhile. The wait ends
            // also if the clock shows no progress, as under a paused clock.
            if self.delay().is_zero() || now().since(start) < delay {
                return self.consume();
            }
        }
    }

    /// Keeps the permit: the call starts.
    fn consume(mut self) {
        self.grant = None;
    }
}

impl<D: Defined> Drop for Reservation<'_, D> {
    fn drop(&mut self) {
        if let Some((limiter, grant)) = self.grant {
            if !limiter.remaining(grant.turn).is_zero() {
                limiter.release(grant);
            }
        }
    }
}

impl<D: Defined> fmt::Debug for Reservation<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation").field("delay", &self.delay()).finish()
    }
}
