//! Calls inside a trial call of the same breaker: a function that calls itself, or two functions
//! with one breaker. A half-open breaker admits such a call as a part of the trial call. Otherwise
//! the trial call would reject itself, and the breaker would stay half-open.
//!
//! A call is inside if the thread executes the body of the trial call: a sync body, or the poll of
//! an async body. The lists are used only while a breaker is half-open.

use std::cell::RefCell;

use super::definition::State;
use super::word::{GENERATION_SHIFT, is_trial};

/// A half-open state of a breaker: the low half of the address, and the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial(u64);

thread_local! {
    /// The trial calls whose bodies this thread executes. A sync trial call that ends after a
    /// change of state may leave its entry, of a generation of the past.
    static TRIALS: RefCell<Vec<Trial>> = const { RefCell::new(Vec::new()) };
}

/// The longest list. Only entries of the past are dropped.
const MOST: usize = 1024;

impl Trial {
    /// No trial call.
    pub(super) const NONE: Self = Self(0);

    #[inline]
    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Returns the state in which a breaker has admitted a call, or `NONE` if the call is no trial
    /// call.
    #[inline]
    pub(super) fn of(breaker: &State, seen: u64) -> Self {
        if is_trial(seen) {
            Self::in_generation(breaker, seen >> GENERATION_SHIFT)
        } else {
            Self::NONE
        }
    }

    #[cold]
    pub(super) fn in_generation(breaker: &State, generation: u64) -> Self {
        let address = u64::try_from(core::ptr::from_ref(breaker).addr()).unwrap_or(0);
        Self(address << GENERATION_SHIFT | generation)
    }

    /// Returns whether this thread executes the body of a trial call of this state.
    pub(super) fn is_running(self) -> bool {
        TRIALS.try_with(|trials| trials.borrow().contains(&self)).unwrap_or(false)
    }

    /// Starts to execute the body.
    #[cold]
    pub(super) fn enter(self) {
        let _ = TRIALS.try_with(|trials| {
            let mut trials = trials.borrow_mut();
            if trials.len() >= MOST {
                trials.remove(0);
            }
            trials.push(self);
        });
    }

    /// Interrupts or ends the body.
    #[cold]
    pub(super) fn leave(self) {
        let _ = TRIALS.try_with(|trials| {
            let mut trials = trials.borrow_mut();
            if let Some(index) = trials.iter().rposition(|trial| *trial == self) {
                trials.remove(index);
            }
        });
    }

    /// Executes `body` as a part of the trial call, if there is one.
    #[inline]
    pub(super) fn scope<T>(self, body: impl FnOnce() -> T) -> T {
        if self.is_none() { body() } else { self.running(body) }
    }

    #[cold]
    fn running<T>(self, body: impl FnOnce() -> T) -> T {
        struct Leave(Trial);

        impl Drop for Leave {
            fn drop(&mut self) {
                self.0.leave();
            }
        }

        self.enter();
        let _leave = Leave(self);
        body()
    }
}
