//! The last failure of a retry, as the cause of a rejection by a time limit.

use std::sync::{Arc, Mutex, PoisonError};

use crate::failure_text::{FailureText, shortened};
use crate::log::Shown;
use crate::rejected::Rejected;

/// The text of the last failure, shared by the layers of one call.
///
/// The text and not the error: the error may be neither cloneable nor `Send`. The mutex keeps a
/// future that borrows the slot `Send`; no user code runs under the lock.
#[derive(Debug, Default)]
pub struct LastFailure(Mutex<Option<Arc<str>>>);

impl LastFailure {
    /// Returns an empty slot.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Records a failed attempt. An error without a text is left out.
    #[cold]
    pub fn record(&self, error: Shown<'_>) {
        let text = error.text().map(shortened);
        let previous =
            std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), text);
        drop(previous);
    }

    /// Adds the failure, if any, as the source of a rejection.
    #[cold]
    #[must_use]
    pub fn blame(&self, rejected: Rejected) -> Rejected {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match text {
            Some(text) => rejected.because(FailureText(text)),
            None => rejected,
        }
    }
}
