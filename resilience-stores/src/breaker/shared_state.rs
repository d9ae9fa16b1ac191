//! The interface between [`BreakerSync`](super::BreakerSync) and a store.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A store of breaker states, shared by several processes: one entry per breaker name, the last
/// write wins.
///
/// An entry holds a remaining time, measured by the clock of the store alone. An entry expires by
/// itself: [`RETENTION`](Self::RETENTION) after the end of the open state, or
/// [`RETENTION`](Self::RETENTION) after a close was written.
///
/// Any call may fail, and may be dropped before the end. The caller then repeats the call with the
/// same entry id.
pub trait SharedState: Send {
    /// The time an entry outlives the announced state. A process that has not read the entry by
    /// then relies on the local open time.
    const RETENTION: Duration = Duration::from_mins(1);

    /// The error of a failed call. [`BreakerSync`](super::BreakerSync) logs the error and repeats
    /// the call.
    type Error: Error + Send + 'static;

    /// Writes an open state with this remaining time.
    fn open(
        &mut self,
        name: &str,
        id: EntryId,
        left: Duration,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Writes a close if the current entry is the open state with the id `opening`, atomically.
    /// Returns whether the close was written.
    fn close(
        &mut self,
        name: &str,
        opening: EntryId,
        id: EntryId,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Returns the entries of the names, in the order of the names.
    fn read(
        &mut self,
        names: &[&str],
    ) -> impl Future<Output = Result<Vec<Option<SharedEntry>>, Self::Error>> + Send;
}

/// The identity of an entry: 64 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    pub(super) fn random() -> Self {
        // Each `RandomState` has different keys, derived from the randomness of the system.
        Self(RandomState::new().build_hasher().finish())
    }
}

/// The entry of one breaker name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedEntry {
    /// The identity of the entry.
    pub id: EntryId,
    /// The announced state.
    pub state: RemoteState,
}

/// A breaker state, as announced by another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteState {
    /// Open for the remaining time; zero after the end of the open state.
    Open(Duration),
    /// Closed by a successful trial call.
    Closed,
}
