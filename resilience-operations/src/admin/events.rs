//! The recent changes of circuit breakers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use resilience_core::{CircuitChange, CircuitChanges, CircuitState, circuit_changes};
use serde::Serialize;

/// The limit of the list.
const KEPT: usize = 100;

/// The changes since the router was made.
pub(super) struct Events(Mutex<Received>);

struct Received {
    changes: CircuitChanges,
    latest: VecDeque<Event>,
}

/// A change of the state of a circuit breaker.
#[derive(Clone, Serialize)]
pub(super) struct Event {
    /// Milliseconds since the start of 1970.
    at_ms: u64,
    name: &'static str,
    key: Option<String>,
    from: CircuitState,
    to: CircuitState,
    open_for_ms: Option<u64>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Received { changes: circuit_changes("*"), latest: VecDeque::new() }))
    }

    /// Returns the latest events, newest first. Between two calls the subscription keeps changes.
    pub(super) fn latest(&self) -> Vec<Event> {
        let mut received = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(change) = received.changes.try_next() {
            received.latest.push_front(Event::of(change));
            received.latest.truncate(KEPT);
        }
        received.latest.iter().cloned().collect()
    }
}

impl Event {
    fn of(change: CircuitChange) -> Self {
        let millis =
            |time: core::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            at_ms: change.at.duration_since(UNIX_EPOCH).map_or(0, millis),
            name: change.name,
            key: change.key,
            from: change.from,
            to: change.to,
            open_for_ms: change.open_for.map(millis),
        }
    }
}
