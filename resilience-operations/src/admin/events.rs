//! The recent changes of circuit breakers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use resilience_core::{CircuitChanges, StateChange, circuit_changes};

/// The limit of the list.
const KEPT: usize = 100;

/// The changes since the router was made.
pub(super) struct Events(Mutex<Received>);

struct Received {
    changes: CircuitChanges,
    latest: VecDeque<StateChange>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Received { changes: circuit_changes("*"), latest: VecDeque::new() }))
    }

    /// Returns the latest events, newest first. Between two calls the subscription keeps changes.
    pub(super) fn latest(&self) -> Vec<StateChange> {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(change) = received.changes.try_next() {
            received.latest.push_front(change);
            received.latest.truncate(KEPT);
        }
        received.latest.iter().cloned().collect()
    }
}
