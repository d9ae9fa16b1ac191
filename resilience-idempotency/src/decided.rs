//! What is decided of a call, and told.

use core::time::Duration;

use crate::call::IdempotentCall;
use crate::log::{self, Decision};
use crate::store::Store;
use crate::store_error::StoreError;
use resilience_core::__internal::{Timestamp, now};
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};

impl<S: Store + Clone> IdempotentCall<S> {
    /// Turns the call away because of the store.
    pub(super) fn unavailable(&self, error: StoreError) -> Rejected {
        log::store_error(self.policy.name, self.key, "turned away", &error);
        self.turned_away(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
            .because(error)
    }

    pub(super) fn in_flight(&self, lease_left: Duration) -> Rejected {
        let after = lease_left.min(self.policy.lease);
        let rejected = Rejected::new(
            RejectedKind::Idempotency(IdempotencyRejection::InFlight),
            self.policy.name,
            Some(after),
        );
        self.tell_rejected(&rejected);
        rejected
    }

    pub(super) fn turned_away(&self, kind: RejectedKind) -> Rejected {
        let rejected = self.policy.rejected(kind);
        self.tell_rejected(&rejected);
        rejected
    }

    fn tell_rejected(&self, rejected: &Rejected) {
        log::decided(self.policy.name, self.key, self.scope, Decision::Rejected(rejected), None);
    }

    pub(super) fn told(&self, decision: Decision<'_>, begin: Timestamp) {
        let waited = now().since(begin);
        log::decided(self.policy.name, self.key, self.scope, decision, Some(waited));
    }
}
