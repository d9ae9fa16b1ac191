//! The way of a request from a gate to the gate inside: tells the gate outside whether the request
//! was sent to the service.
//!
//! A gate hands the request over while the gate calls the service. A gate directly inside takes the
//! request in its own `call`, on the same thread. A request that no gate takes is sent. A layer in
//! between that calls the service later, such as a buffer, therefore counts as a service.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

thread_local! {
    /// The request of the running `call` of a gate.
    static HANDED_OVER: RefCell<Option<Handover>> = const { RefCell::new(None) };
}

/// A gate holds the request.
const HELD: u8 = 0;
const SENT: u8 = 1;
/// A gate has rejected or dropped the request.
const GIVEN_UP: u8 = 2;

/// A request in a gate.
#[derive(Debug)]
pub struct Handover(Arc<AtomicU8>);

/// The view of a gate outside.
#[derive(Debug)]
pub(super) struct HandedOver(Arc<AtomicU8>);

impl Handover {
    /// Takes the request of the gate outside that runs its `call` on this thread, if any.
    pub(super) fn take() -> Option<Self> {
        HANDED_OVER.take()
    }

    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    pub(super) fn observe(&self) -> HandedOver {
        HandedOver(Arc::clone(&self.0))
    }

    fn mark_sent(&self) {
        self.0.store(SENT, Relaxed);
    }

    /// Calls the service. The request is sent, unless a gate inside takes the request.
    pub(super) fn call<T>(self, call: impl FnOnce() -> T) -> T {
        let _end = EndOfCall(HANDED_OVER.replace(Some(self)));
        call()
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        let _ = self.0.compare_exchange(HELD, GIVEN_UP, Relaxed, Relaxed);
    }
}

/// Ends a `call`, also during unwinding.
struct EndOfCall(Option<Handover>);

impl Drop for EndOfCall {
    fn drop(&mut self) {
        let outer = self.0.take();
        if let Some(not_taken) = HANDED_OVER.replace(outer) {
            not_taken.mark_sent();
        }
    }
}

impl HandedOver {
    /// Returns whether a gate holds the request.
    pub(super) fn is_held(&self) -> bool {
        self.0.load(Relaxed) == HELD
    }

    pub(super) fn is_sent(&self) -> bool {
        self.0.load(Relaxed) == SENT
    }
}

/// Calls a service for one of several attempts: for the gates outside the request is sent.
pub(super) fn repeatedly<T>(call: impl FnOnce() -> T) -> T {
    if let Some(taken) = Handover::take() {
        taken.mark_sent();
    }
    call()
}
