//! A breaker of this process, and how far it and the board have heard of each other.

use std::fmt;
use std::time::Duration;

use resilience_core::__internal::{CircuitDecision, LocalDecision};
use resilience_core::CircuitBreaker;

use super::board::{EntryId, RemoteState, SharedEntry, SharedState};

/// A breaker that somebody keeps: a `&'static`, an `Arc`.
pub(super) type Handle = Box<dyn AsRef<CircuitBreaker> + Send + Sync>;

pub(super) struct Link {
    handle: Handle,
    pub(super) name: &'static str,
    /// The generation of the last news that was told.
    told: Option<u32>,
    /// Under which tag news is being told: the same when it is told again.
    telling: Option<(u32, EntryId)>,
    /// The last entry that was written or followed.
    known: Option<EntryId>,
}

impl Link {
    /// None for a breaker that is not shared.
    pub(super) fn new(handle: Handle) -> Option<Self> {
        let name = (*handle).as_ref().shared_name()?;
        Some(Self { handle, name, told: None, telling: None, known: None })
    }

    fn breaker(&self) -> &CircuitBreaker {
        (*self.handle).as_ref()
    }

    pub(super) fn is_of(&self, breaker: &CircuitBreaker) -> bool {
        std::ptr::eq(self.breaker(), breaker)
    }

    /// Tells the board what outcomes have come to, where it does not know yet.
    pub(super) async fn tell<B: SharedState>(&mut self, board: &mut B) -> Result<(), B::Error> {
        let Some(LocalDecision { generation, decision }) = self.breaker().local_decision() else {
            return Ok(());
        };
        if self.told == Some(generation) {
            return Ok(());
        }
        let tag = match self.telling {
            Some((telling, tag)) if telling == generation => tag,
            _ => EntryId::random(),
        };
        self.telling = Some((generation, tag));
        match (decision, self.known) {
            // Over before it could be told, or the end of what nobody was told of.
            (CircuitDecision::Open(Duration::ZERO), _) | (CircuitDecision::Closed, None) => {}
            (CircuitDecision::Open(left), _) => {
                board.open(self.name, tag, left).await?;
                self.known = Some(tag);
            }
            // Of the opening that it has known only: one that came since is for others to close.
            (CircuitDecision::Closed, Some(opening)) => {
                if board.close(self.name, opening, tag).await? {
                    self.known = Some(tag);
                }
            }
        }
        self.told = Some(generation);
        Ok(())
    }

    /// Follows what stands on the board. An opening is followed for `patience` longer than it lasts.
    pub(super) fn follow(&mut self, entry: SharedEntry, patience: Duration) {
        if self.known == Some(entry.tag) {
            return;
        }
        let decision = match entry.stand {
            RemoteState::Open(Duration::ZERO) => None,
            RemoteState::Open(left) => Some(CircuitDecision::Open(left.saturating_add(patience))),
            RemoteState::Closed => Some(CircuitDecision::Closed),
        };
        if decision.is_none_or(|decision| self.breaker().apply_remote(decision, self.told)) {
            self.known = Some(entry.tag);
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("name", &self.name).finish_non_exhaustive()
    }
}
