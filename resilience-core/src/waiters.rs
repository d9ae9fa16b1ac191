//! A queue of waiting calls, in order of arrival. Joining, leaving and taking turns cost O(log n)
//! for a call at any position.

use core::num::NonZeroU64;
use std::collections::BTreeMap;

/// Waiting calls with a value for each call.
#[derive(Debug)]
pub(crate) struct Waiters<T> {
    /// In order of arrival, and so in order of the numbers.
    waiting: BTreeMap<WaiterId, T>,
    last: u64,
}

/// Identifies a waiting call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterId(NonZeroU64);

impl<T> Waiters<T> {
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new(), last: 0 }
    }

    /// Adds a call at the end.
    pub(crate) fn join(&mut self, call: T) -> WaiterId {
        self.last = self.last.saturating_add(1);
        let id = WaiterId(NonZeroU64::new(self.last).unwrap_or(NonZeroU64::MIN));
        self.waiting.insert(id, call);
        id
    }

    /// Removes a call; `None` if the call has left the queue.
    pub(crate) fn remove(&mut self, id: WaiterId) -> Option<T> {
        self.waiting.remove(&id)
    }

    pub(crate) fn get_mut(&mut self, id: WaiterId) -> Option<&mut T> {
        self.waiting.get_mut(&id)
    }

    /// Returns the call that has waited longest.
    pub(crate) fn first_mut(&mut self) -> Option<(WaiterId, &mut T)> {
        self.waiting.first_entry().map(|entry| (*entry.key(), entry.into_mut()))
    }

    pub(crate) fn pop_first(&mut self) -> Option<(WaiterId, T)> {
        self.waiting.pop_first()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
