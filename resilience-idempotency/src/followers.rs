//! The wakers of the calls that wait for another call.

use core::task::Waker;
use std::collections::BTreeMap;

/// The wakers of waiting calls, in the order of arrival. Each call keeps its number.
#[derive(Default)]
pub(super) struct Followers {
    wakers: BTreeMap<u64, Waker>,
    last_number: u64,
}

impl Followers {
    /// Sets the waker of a call, which gets a number at the first time. Returns the waker before,
    /// for a drop without the lock: `drop` of a waker is foreign code.
    pub(super) fn set(&mut self, number: &mut Option<u64>, waker: Waker) -> Option<Waker> {
        let number = *number.get_or_insert_with(|| {
            self.last_number = self.last_number.wrapping_add(1);
            self.last_number
        });
        self.wakers.insert(number, waker)
    }

    /// Removes a call, and returns its waker for a drop without the lock.
    pub(super) fn remove(&mut self, number: Option<u64>) -> Option<Waker> {
        self.wakers.remove(&number?)
    }

    /// Removes the call that arrived first.
    pub(super) fn pop_first(&mut self) -> Option<(u64, Waker)> {
        self.wakers.pop_first()
    }

    /// Removes all calls, and returns their wakers for a wake without the lock.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        core::mem::take(&mut self.wakers).into_values()
    }
}
