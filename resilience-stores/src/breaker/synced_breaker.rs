//! A breaker of this process, with the progress of the synchronization.

use std::fmt;
use std::time::Duration;

use resilience_core::__internal::{CircuitDecision, LocalDecision};
use resilience_core::CircuitBreaker;

use super::shared_state::{EntryId, RemoteState, SharedEntry, SharedState};

/// A handle to a breaker: `&'static CircuitBreaker` or `Arc<CircuitBreaker>`.
pub(super) type BreakerHandle = Box<dyn AsRef<CircuitBreaker> + Send + Sync>;

pub(super) struct SyncedBreaker {
    handle: BreakerHandle,
    pub(super) name: &'static str,
    /// The generation of the last published decision.
    published: Option<u32>,
    /// The generation and entry id of the current publication. A repeated write uses the same id.
    publishing: Option<(u32, EntryId)>,
    /// The last entry that this process has written or applied.
    last_entry: Option<EntryId>,
}

impl SyncedBreaker {
    /// Returns `None` for a breaker that is not shared.
    pub(super) fn new(handle: BreakerHandle) -> Option<Self> {
        let name = (*handle).as_ref().shared_name()?;
        Some(Self { handle, name, published: None, publishing: None, last_entry: None })
    }

    fn breaker(&self) -> &CircuitBreaker {
        (*self.handle).as_ref()
    }

    pub(super) fn is(&self, breaker: &CircuitBreaker) -> bool {
        std::ptr::eq(self.breaker(), breaker)
    }

    /// Writes the last local decision to the store, unless already published.
    pub(super) async fn publish<S: SharedState>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let Some(LocalDecision { generation, decision }) = self.breaker().local_decision() else {
            return Ok(());
        };
        if self.published == Some(generation) {
            return Ok(());
        }
        let id = match self.publishing {
            Some((publishing, id)) if publishing == generation => id,
            _ => EntryId::random(),
        };
        self.publishing = Some((generation, id));
        match (decision, self.last_entry) {
            // The open time has passed before publication, or the close ends an unpublished open
            // state.
            (CircuitDecision::Open(Duration::ZERO), _) | (CircuitDecision::Closed, None) => {}
            (CircuitDecision::Open(left), _) => {
                store.open(self.name, id, left).await?;
                self.last_entry = Some(id);
            }
            // Close only the open state known here; another process must close a newer entry.
            (CircuitDecision::Closed, Some(opening)) => {
                if store.close(self.name, opening, id).await? {
                    self.last_entry = Some(id);
                }
            }
        }
        self.published = Some(generation);
        Ok(())
    }

    /// Applies an entry of the store to the breaker. A remote open state lasts `grace` longer
    /// here.
    pub(super) fn apply(&mut self, entry: SharedEntry, grace: Duration) {
        if self.last_entry == Some(entry.id) {
            return;
        }
        let decision = match entry.state {
            RemoteState::Open(Duration::ZERO) => None,
            RemoteState::Open(left) => Some(CircuitDecision::Open(left.saturating_add(grace))),
            RemoteState::Closed => Some(CircuitDecision::Closed),
        };
        if decision.is_none_or(|decision| self.breaker().apply_remote(decision, self.published)) {
            self.last_entry = Some(entry.id);
        }
    }
}

impl fmt::Debug for SyncedBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncedBreaker").field("name", &self.name).finish_non_exhaustive()
    }
}
