//! What turned a call away, for the layers of the same function that stand outside the one that
//! did: known without help from the error.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use crate::classify::FailureClass;
use crate::clock;
use crate::rejected::{Rejected, RejectedKind};

/// One word on the stack of the outermost layer that listens; zero while nothing was rejected.
///
/// Atomic only so that a future which borrows it stays `Send`.
#[derive(Debug, Default)]
pub struct Slot(AtomicU64);

const KINDS: [RejectedKind; 13] = [
    RejectedKind::CircuitOpen,
    RejectedKind::BulkheadFull,
    RejectedKind::RateLimited,
    RejectedKind::TimedOut,
    RejectedKind::MissingKey,
    RejectedKind::InvalidKey,
    RejectedKind::KeyReused,
    RejectedKind::InFlight,
    RejectedKind::OutcomeUnknown,
    RejectedKind::LeaseLost,
    RejectedKind::Undecodable,
    RejectedKind::NotStored,
    RejectedKind::StoreUnavailable,
];

/// The low bits say which kind, from 1; the others hold the nanoseconds to wait plus one.
const KIND_BITS: u32 = 4;

impl Slot {
    /// Nothing was rejected.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The layer inside is about to return this rejection.
    #[cold]
    pub fn set(&self, rejected: &Rejected) {
        let kind = KINDS.iter().zip(1..).find(|(kind, _)| **kind == rejected.kind());
        let kind = kind.map_or(0, |(_, number)| number);
        let after = rejected.retry_after().map_or(0, |after| clock::nanos(after).saturating_add(1));
        self.0.store(after.min(u64::MAX >> KIND_BITS) << KIND_BITS | kind, Relaxed);
    }

    /// What comes next is no rejection.
    #[inline]
    pub fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    /// The meaning of the rejection that was returned, where one was.
    #[cold]
    pub fn class(&self) -> Option<FailureClass> {
        let word = self.0.load(Relaxed);
        let number = word & ((1 << KIND_BITS) - 1);
        let kind = KINDS.iter().zip(1..).find(|(_, known)| *known == number)?.0;
        let after = (word >> KIND_BITS).checked_sub(1).map(Duration::from_nanos);
        Some(kind.class(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Classify;

    #[test]
    fn a_rejection_keeps_its_meaning() {
        let long =
            Duration::from_nanos(u64::MAX >> KIND_BITS).saturating_sub(Duration::from_nanos(1));
        let slot = Slot::new();
        assert_eq!(slot.class(), None);
        for kind in KINDS {
            for after in [None, Some(Duration::ZERO), Some(Duration::from_secs(3)), Some(long)] {
                let rejected = Rejected::new(kind, "it", after);
                slot.set(&rejected);
                assert_eq!(slot.class(), Some(rejected.classify()));
            }
        }
        slot.set(&Rejected::new(RejectedKind::CircuitOpen, "it", Some(Duration::MAX)));
        assert_eq!(slot.class().and_then(|class| class.after), Some(long));
        slot.clear();
        assert_eq!(slot.class(), None);
    }
}
