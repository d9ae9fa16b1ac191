//! What an exchange needs of a store.

use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Where processes read what others have come to: one entry for each name, of which the last one written
/// counts.
///
/// An entry holds a time that is left, by the clock of the board alone. It goes by itself:
/// [`KEPT`](Self::KEPT) after the opening that it tells of is over, or after it was written if it tells of
/// a closing. Any call may fail, and may be dropped before it ends; it is then made again, with the same
/// tag.
pub trait SharedState: Send {
    /// How long an entry outlives what it tells. Somebody who has not read it until then is told by the
    /// end of its own time.
    const KEPT: Duration = Duration::from_mins(1);

    /// What goes wrong. Told in the log, and everything is tried again.
    type Error: Error + Send + 'static;

    /// Writes an opening that lasts for so much longer.
    fn open(
        &mut self,
        name: &str,
        tag: EntryId,
        left: Duration,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Writes a closing where the entry is that of the tag `opening`, in one step; returns whether it was.
    fn close(
        &mut self,
        name: &str,
        opening: EntryId,
        tag: EntryId,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// The entries of these names, in their order.
    fn read(
        &mut self,
        names: &[&str],
    ) -> impl Future<Output = Result<Vec<Option<SharedEntry>>, Self::Error>> + Send;
}

/// Tells one entry from any other: 64 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryId(pub u64);

impl EntryId {
    pub(super) fn random() -> Self {
        // Each state has keys of its own, from the randomness of the system.
        Self(RandomState::new().build_hasher().finish())
    }
}

/// What stands on a board under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedEntry {
    /// Which one it is.
    pub tag: EntryId,
    /// What it says.
    pub stand: RemoteState,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteState {
    /// Open for so much longer; zero where that is over.
    Open(Duration),
    /// Closed by a probe.
    Closed,
}
