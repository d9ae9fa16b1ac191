//! The correction of the cost of a call after the call.

use super::view::View;
use super::{Defined, RateLimiter};
use crate::classify::Effect;
use crate::mode;
use crate::rejection_signal::RejectionSignal;
use crate::switch::is_enabled;

impl<D: Defined> RateLimiter<D> {
    /// Corrects the cost of a call after the call: the call took `taken` permits and used `actual`
    /// permits. Unused permits return to the limiter. Missing permits delay later calls and calls
    /// that wait.
    ///
    /// ```
    /// use core::time::Duration;
    /// use resilience::{RateLimiter, testing};
    ///
    /// let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(10);
    /// let clock = testing::clock();
    /// limiter.try_acquire_many(4)?;
    /// limiter.settle(4, 1);
    /// assert_eq!(limiter.available(), 9);
    /// limiter.settle(1, 20); // a debt of ten permits
    /// assert_eq!(limiter.try_acquire().unwrap_err().retry_after(), Some(Duration::from_millis(1100)));
    /// # let _ = clock;
    /// # Ok::<(), resilience::Rejected>(())
    /// ```
    pub fn settle(&self, taken: u32, actual: u32) {
        if mode::is_as_coded() {
            Self::settle_in(self.view(self.definition().settings.pace), taken, actual);
        } else {
            self.settle_overridden(taken, actual);
        }
    }

    #[cold]
    fn settle_overridden(&self, taken: u32, actual: u32) {
        let settings = self.current();
        if is_enabled() && settings.enabled {
            Self::settle_in(self.view(settings.pace), taken, actual);
        }
    }

    #[inline]
    fn settle_in(view: View<'_>, taken: u32, actual: u32) {
        let View { gcra, pace, .. } = view;
        if actual < taken {
            gcra.refund(pace, pace.width(taken - actual), || view.now());
        } else if actual > taken {
            gcra.charge(pace.width(actual - taken), || view.now());
        }
    }
}

/// Returns the permits of a call that a layer inside rejected before the body ran.
#[inline]
pub fn refund_rejected<D: Defined>(
    limiter: &RateLimiter<D>,
    taken: u32,
    signal: Option<&RejectionSignal>,
) {
    if is_rejected(signal) {
        limiter.settle(taken, 0);
    }
}

/// Returns the permits of a call that is dropped in the queue of a layer inside.
#[inline]
pub fn refund_in_queue<'l, D: Defined>(
    limiter: &'l RateLimiter<D>,
    taken: u32,
    signal: &'l RejectionSignal,
) -> RefundInQueue<'l, D> {
    RefundInQueue { limiter, taken, signal }
}

/// The guard of [`refund_in_queue`]. A call that has left the queue is in no queue on drop.
#[derive(Debug)]
#[must_use]
pub struct RefundInQueue<'l, D: Defined> {
    limiter: &'l RateLimiter<D>,
    taken: u32,
    signal: &'l RejectionSignal,
}

impl<D: Defined> Drop for RefundInQueue<'_, D> {
    #[inline]
    fn drop(&mut self) {
        if self.signal.is_in_queue() {
            self.limiter.settle(self.taken, 0);
        }
    }
}

/// Corrects the cost of a call by its outcome. A call that a layer inside rejected costs nothing.
pub fn settle_call<D: Defined, O>(
    limiter: &RateLimiter<D>,
    taken: u32,
    outcome: &O,
    actual: impl FnOnce(&O) -> u32,
    signal: Option<&RejectionSignal>,
) {
    let actual = if is_rejected(signal) { 0 } else { actual(outcome) };
    limiter.settle(taken, actual);
}

/// Returns whether a layer inside rejected the call before the body ran.
#[inline]
fn is_rejected(signal: Option<&RejectionSignal>) -> bool {
    let class = signal.and_then(RejectionSignal::class);
    class.is_some_and(|class| class.effect == Effect::NotSent)
}
