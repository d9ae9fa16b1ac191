//! A queue of waiting calls, in order of arrival. Joining, leaving and taking turns cost O(log n)
//! for a call at any position.

use core::num::NonZeroU64;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::collections::BTreeMap;

/// Waiting calls with a value for each call.
#[derive(Debug)]
pub(crate) struct Waiters<T> {
    /// In order of arrival, and so in order of the numbers.
    waiting: BTreeMap<WaiterId, T>,
}

/// Identifies a waiting call in the process. A later call has a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterId(NonZeroU64);

impl WaiterId {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Relaxed).wrapping_add(1);
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn number(self) -> u64 {
        self.0.get()
    }
}

impl<T> Waiters<T> {
    pub(crate) const fn new() -> Self {
        Self { waiting: BTreeMap::new() }
    }

    /// Adds a call at the end.
    pub(crate) fn join(&mut self, call: T) -> WaiterId {
        let id = WaiterId::next();
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

    /// Returns all calls, in order of arrival.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.waiting.values_mut()
    }

    /// Returns the call that has waited longest.
    pub(crate) fn first_mut(&mut self) -> Option<(WaiterId, &mut T)> {
        self.waiting.first_entry().map(|entry| (*entry.key(), entry.into_mut()))
    }

    #[inline]
    pub(crate) fn pop_first(&mut self) -> Option<(WaiterId, T)> {
        // Most often no call waits, and the map need not be searched.
        if self.waiting.is_empty() { None } else { self.waiting.pop_first() }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}
