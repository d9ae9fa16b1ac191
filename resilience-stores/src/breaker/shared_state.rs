//! The interface between [`BreakerSync`](super::BreakerSync) and a store.

use std::error::Error;
use std::time::Duration;

use crate::random_bits::random_bits;

/// A store of breaker states, shared by several processes: one vote per breaker name and process.
///
/// A process writes its own vote only, so writes of different processes never conflict. A vote
/// holds a remaining time, measured by the clock of the store alone. A vote expires by itself,
/// [`RETENTION`](Self::RETENTION) after the end of the open state or after a close.
///
/// Any call may fail, and may be dropped before the end. The caller then repeats the call with the
/// same vote id.
pub trait SharedState: Send {
    /// The time a vote outlives the announced state. A process that has not read the vote by then
    /// relies on the local open time.
    const RETENTION: Duration = Duration::from_secs(60);

    /// The time a process counts as a member after its last [`read`](Self::read).
    const MEMBERSHIP: Duration = Duration::from_secs(60);

    /// The error of a failed call. [`BreakerSync`](super::BreakerSync) logs the error and repeats
    /// the call.
    type Error: Error + Send + 'static;

    /// Writes the vote of a process about a breaker name, in place of its earlier vote.
    fn vote(
        &mut self,
        name: &str,
        process: ProcessId,
        vote: Vote,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Records that the process is a member under each of the names, and returns the members and
    /// the votes, in the order of the names.
    fn read(
        &mut self,
        process: ProcessId,
        names: &[&str],
    ) -> impl Future<Output = Result<Vec<Votes>, Self::Error>> + Send;
}

/// The identity of a process: 64 bits, random or derived from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProcessId(pub u64);

impl ProcessId {
    pub(super) fn random() -> Self {
        Self(random_bits())
    }

    /// Returns the same identity for the same name, in every version of the library: FNV-1a.
    pub(super) fn of(name: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }
}

/// The identity of a vote: 64 random bits. A renewed vote has a new identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VoteId(pub u64);

impl VoteId {
    pub(super) fn random() -> Self {
        Self(random_bits())
    }
}

/// The decision of one process about a breaker name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The identity of the vote.
    pub id: VoteId,
    /// The decision.
    pub state: VoteState,
}

/// A decision, as announced by a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoteState {
    /// Open for the remaining time; zero after the end of the open state.
    Open(Duration),
    /// Closed by a successful trial call.
    Closed,
}

/// The members and the votes of one breaker name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// The number of processes that have read this name within
    /// [`MEMBERSHIP`](SharedState::MEMBERSHIP), including the reader.
    pub members: u32,
    /// The vote of each process that has voted, in any order.
    pub votes: Vec<(ProcessId, Vote)>,
}
