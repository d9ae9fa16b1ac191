//! The failure that opened a breaker, for the `source()` of rejections.

use core::sync::atomic::Ordering::{AcqRel, Acquire};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::definition::View;
use crate::failure_text::{KeptFailure, shortened};
use crate::sync::Tally;

/// The number of the failure behind the last opening, or zero. Read by every rejection, so apart
/// from the lock of the machine. Changes under the lock of the machine.
#[derive(Debug)]
pub(super) struct Cause(Tally);

impl Cause {
    pub(super) const fn new() -> Self {
        Self(Tally::new(0))
    }

    /// Returns the failure, as the source of a rejection.
    #[inline]
    pub(super) fn get(&self) -> Option<KeptFailure> {
        KeptFailure::from_word(self.0.load(Acquire))
    }

    fn set(&self, failure: Option<KeptFailure>) {
        let before = self.0.swap(failure.map_or(0, KeptFailure::word), AcqRel);
        if let Some(before) = KeptFailure::from_word(before) {
            before.release();
        }
    }

    pub(super) fn clear(&self) {
        if self.get().is_some() {
            self.set(None);
        }
    }

    pub(super) fn text(&self) -> Option<Arc<str>> {
        self.get().and_then(KeptFailure::text)
    }
}

impl Drop for Cause {
    fn drop(&mut self) {
        self.clear();
    }
}

impl View<'_> {
    /// Keeps the failure that opened the breaker in this generation, and releases the event of the
    /// change.
    #[cold]
    pub(super) fn keep_cause(self, generation: u32, text: &dyn Fn() -> Option<String>) {
        // `Display` of an error is user code: no lock is held, and a panic changes nothing.
        let text = catch_unwind(AssertUnwindSafe(text)).ok().flatten();
        self.set_cause(generation, text);
    }

    pub(super) fn set_cause(self, generation: u32, text: Option<String>) {
        let text = text.map(shortened);
        // Kept before the lock, and released below if the breaker has moved on.
        let failure = text.clone().map(KeptFailure::keep);
        let is_current = self.change(|machine| {
            if let Some(extra) = machine.extra.changed() {
                extra.events.set_cause(generation, text.as_ref());
            }
            let is_current = machine.generation == generation;
            if is_current {
                self.cause.set(failure);
            }
            is_current
        });
        if let (Some(failure), false) = (failure, is_current) {
            failure.release();
        }
    }
}
