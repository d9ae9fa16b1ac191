//! A call that was let through, apart from the breaker that did.

use core::mem;

use super::{CircuitBreaker, CircuitGuard};
use crate::clock::Timestamp;

/// A guard without its breaker, for a future that owns a handle of the breaker and so cannot borrow from
/// it. Whoever drops it keeps a probe's permit until its lease is over.
#[derive(Debug)]
#[must_use]
pub struct Detached {
    seen: u64,
    started: Option<Timestamp>,
}

#[doc(hidden)]
impl CircuitGuard<'_> {
    /// Takes the breaker away.
    pub fn detach(self) -> Detached {
        let Self { seen, started, .. } = self;
        mem::forget(self);
        Detached { seen, started }
    }
}

#[doc(hidden)]
impl CircuitBreaker {
    /// The guard of a call that this breaker has let through.
    pub fn attach(&self, Detached { seen, started }: Detached) -> CircuitGuard<'_> {
        CircuitGuard { breaker: self, seen, started }
    }
}
