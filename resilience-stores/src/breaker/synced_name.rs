//! The breakers of this process with one shared name, and the vote of the process.

use std::time::Duration;

use resilience_core::__internal::{CircuitDecision, LocalDecision};
use resilience_core::CircuitBreaker;
use tokio::time::Instant;

use super::shared_state::{ProcessId, SharedState, Vote, VoteId, VoteState, Votes};
use super::synced_breaker::{Round, SyncedBreaker};

/// A handle to a breaker: `&'static CircuitBreaker` or `Arc<CircuitBreaker>`.
pub(super) type BreakerHandle = Box<dyn AsRef<CircuitBreaker> + Send + Sync>;

/// A process has one vote per name, however many of its breakers are open. Otherwise two functions
/// of one sick process could reach a quorum.
#[derive(Debug)]
pub(super) struct SyncedName {
    pub(super) name: &'static str,
    breakers: Vec<SyncedBreaker>,
    /// Whether the store may have an open state of this process.
    has_vote: bool,
    publishing: Option<Publishing>,
    members: Option<Members>,
}

/// The largest number of members within the membership time. A store that loses its data counts
/// from zero again, and one vote would be enough in a fleet that seems small.
#[derive(Clone, Copy, Debug)]
struct Members {
    count: u32,
    since: Instant,
}

/// The decision that is being written. A repeated write uses the same vote id.
#[derive(Debug)]
struct Publishing {
    breaker: usize,
    generation: u32,
    id: VoteId,
}

impl SyncedName {
    /// Adds a breaker to the names. A breaker that is not shared is ignored.
    pub(super) fn add(names: &mut Vec<Self>, handle: BreakerHandle) {
        let Some(name) = (*handle).as_ref().shared_name() else { return };
        let breaker = SyncedBreaker::new(handle);
        if let Some(known) = names.iter_mut().find(|known| known.name == name) {
            known.breakers.push(breaker);
        } else {
            names.push(Self {
                name,
                breakers: vec![breaker],
                has_vote: false,
                publishing: None,
                members: None,
            });
        }
    }

    pub(super) fn contains(&self, breaker: &CircuitBreaker) -> bool {
        self.breakers.iter().any(|synced| synced.is(breaker))
    }

    /// Writes the vote of this process, if a local decision is not published yet.
    pub(super) async fn publish<S: SharedState>(
        &mut self,
        store: &mut S,
        process: ProcessId,
    ) -> Result<(), S::Error> {
        for breaker in 0..self.breakers.len() {
            let Some(LocalDecision { generation, decision }) = self.breakers[breaker].unpublished()
            else {
                continue;
            };
            let left = self.breakers.iter().filter_map(SyncedBreaker::opened_for).max();
            let state = match (decision, left) {
                // The open time is over, or another breaker of this process is open.
                (CircuitDecision::Open(Duration::ZERO), _) | (CircuitDecision::Closed, Some(_)) => {
                    None
                }
                (CircuitDecision::Open(own), left) => {
                    Some(VoteState::Open(left.unwrap_or_default().max(own)))
                }
                (CircuitDecision::Closed, None) => {
                    let is_news = self.has_vote || self.breakers[breaker].is_following();
                    is_news.then_some(VoteState::Closed)
                }
            };
            if let Some(state) = state {
                let id = self.vote_id(breaker, generation);
                // A write without an answer may have happened.
                self.has_vote = true;
                store.vote(self.name, process, Vote { id, state }).await?;
                self.has_vote = state != VoteState::Closed;
            }
            self.breakers[breaker].published(generation);
        }
        Ok(())
    }

    /// Returns the number of members of the fleet, given the number that the store knows.
    pub(super) fn members(&mut self, count: u32, membership: Duration) -> u32 {
        let now = Instant::now();
        match self.members {
            Some(known) if count < known.count && now - known.since < membership => known.count,
            _ => {
                self.members = Some(Members { count, since: now });
                count
            }
        }
    }

    fn vote_id(&mut self, breaker: usize, generation: u32) -> VoteId {
        match self.publishing {
            Some(Publishing { breaker: same, generation: known, id })
                if same == breaker && known == generation =>
            {
                id
            }
            _ => {
                let id = VoteId::random();
                self.publishing = Some(Publishing { breaker, generation, id });
                id
            }
        }
    }

    /// Applies the votes of the store to the breakers.
    pub(super) fn apply(&mut self, votes: &Votes, round: Round) {
        for breaker in &mut self.breakers {
            breaker.apply(&votes.votes, round);
        }
    }
}
