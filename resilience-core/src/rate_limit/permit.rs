//! Permits whose cost is corrected after the call.

use core::fmt;
use std::sync::Arc;

use super::{Defined, Definition, RateLimiter};

/// A permit that travels into a spawned task or a response body, where the cost of the call
/// becomes known. Made by [`RateLimiter::acquire_owned`] and [`RateLimiter::try_acquire_owned`].
///
/// A dropped permit keeps its cost: the call was made.
#[must_use = "a permit without a correction can be dropped explicitly"]
pub struct OwnedRateLimitPermit<D: Defined = Definition> {
    limiter: Arc<RateLimiter<D>>,
    cost: u32,
}

impl<D: Defined> OwnedRateLimitPermit<D> {
    pub(super) fn new(limiter: Arc<RateLimiter<D>>, cost: u32) -> Self {
        Self { limiter, cost }
    }

    /// Returns the cost of the permit.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Corrects the cost of the call, as [`RateLimiter::settle`] does.
    pub fn settle(self, actual: u32) {
        self.limiter.settle(self.cost, actual);
    }
}

impl<D: Defined> fmt::Debug for OwnedRateLimitPermit<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedRateLimitPermit")
            .field("limiter", &self.limiter)
            .field("cost", &self.cost)
            .finish()
    }
}
