//! The failure that opened a breaker, for the `source()` of rejections.

use core::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use super::CircuitBreaker;
use crate::failure_text::FailureText;

/// The largest number of bytes of a text.
const LONGEST: usize = 1024;

fn shortened(mut text: String) -> FailureText {
    if text.len() > LONGEST {
        const MARK: char = '…';
        let longest = LONGEST - MARK.len_utf8();
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push(MARK);
    }
    FailureText(text.into_boxed_str())
}

/// The failure of the last opening. Read by every rejection, so apart from the lock of the machine.
#[derive(Debug)]
pub(super) struct Cause(RwLock<Option<Arc<FailureText>>>);

impl Cause {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(None))
    }

    #[inline]
    fn get(&self) -> Option<Arc<FailureText>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, text: Option<Arc<FailureText>>) {
        let mut cause = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = core::mem::replace(&mut *cause, text);
        drop(cause);
        drop(before);
    }

    pub(super) fn clear(&self) {
        self.set(None);
    }

    pub(super) fn text(&self) -> Option<Arc<str>> {
        self.get().map(|text| Arc::from(&*text.0))
    }

    /// Returns the failure, as the source of a rejection.
    #[inline]
    pub(super) fn source(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        self.get().map(|text| text as Arc<dyn Error + Send + Sync>)
    }
}

impl CircuitBreaker {
    /// Keeps the failure that opened the breaker in this generation, and releases the event of the
    /// change.
    #[cold]
    pub(super) fn keep_cause(&self, generation: u32, text: &dyn Fn() -> Option<String>) {
        // `Display` of an error is user code: no lock is held, and a panic changes nothing.
        let text = catch_unwind(AssertUnwindSafe(text)).ok().flatten();
        self.set_cause(generation, text);
    }

    pub(super) fn set_cause(&self, generation: u32, text: Option<String>) {
        let text = text.map(|text| Arc::new(shortened(text)));
        let for_event = text.as_ref().map(|text| Arc::from(&*text.0));
        self.change(|machine| {
            machine.events.set_cause(generation, for_event.as_ref());
            if machine.generation == generation {
                self.cause.set(text);
            }
        });
    }
}
