//! A breaker of this process, with the progress of the synchronization.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use resilience_core::__internal::{CircuitDecision, LocalDecision};
use resilience_core::{CircuitBreaker, CircuitState};

use super::shared_state::{ProcessId, Vote, VoteId, VoteState};
use super::synced_name::BreakerHandle;

pub(super) struct SyncedBreaker {
    handle: BreakerHandle,
    /// The generation of the last published decision.
    published: Option<u32>,
    /// Whether the breaker was closed at the end of the last round.
    was_closed: bool,
    /// The votes of the last round.
    known: Vec<VoteId>,
    /// The votes that no longer count: since these votes this process has closed the breaker, by a
    /// trial call or by hand.
    answered: Vec<VoteId>,
    /// The votes that were known when the breaker last followed the fleet.
    applied: Vec<VoteId>,
    /// The processes whose votes keep the breaker open; empty if the breaker follows only its own
    /// calls.
    supporters: Vec<ProcessId>,
}

/// The circumstances of a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// This process.
    pub(super) process: ProcessId,
    /// The number of votes that open the breaker.
    pub(super) quorum: usize,
    /// The additional open time of a process that did not vote.
    pub(super) grace: Duration,
}

impl SyncedBreaker {
    pub(super) fn new(handle: BreakerHandle) -> Self {
        Self {
            handle,
            published: None,
            was_closed: true,
            known: Vec::new(),
            answered: Vec::new(),
            applied: Vec::new(),
            supporters: Vec::new(),
        }
    }

    fn breaker(&self) -> &CircuitBreaker {
        (*self.handle).as_ref()
    }

    pub(super) fn is(&self, breaker: &CircuitBreaker) -> bool {
        std::ptr::eq(self.breaker(), breaker)
    }

    /// Returns the last local decision, unless already published.
    pub(super) fn unpublished(&self) -> Option<LocalDecision> {
        let decision = self.breaker().local_decision()?;
        (self.published != Some(decision.generation)).then_some(decision)
    }

    /// Marks a local decision as published.
    pub(super) fn published(&mut self, generation: u32) {
        self.published = Some(generation);
    }

    /// Returns the remaining open time, if calls of this process have opened the breaker.
    pub(super) fn opened_for(&self) -> Option<Duration> {
        match self.breaker().local_decision()?.decision {
            CircuitDecision::Open(left) if !left.is_zero() => Some(left),
            _ => None,
        }
    }

    /// Returns whether votes of the fleet have opened the breaker.
    pub(super) fn is_following(&self) -> bool {
        !self.supporters.is_empty()
    }

    /// Follows the votes of the fleet.
    pub(super) fn apply(&mut self, votes: &[(ProcessId, Vote)], round: Round) {
        let is_closed = self.breaker().state() == CircuitState::Closed;
        let known = votes.iter().map(|(_, vote)| vote.id).collect();
        let before = std::mem::replace(&mut self.known, known);
        if is_closed && !self.was_closed {
            self.answered = before;
            self.supporters.clear();
        }
        self.answered.retain(|id| self.known.contains(id));
        if !self.follow_openings(votes, round) {
            self.follow_closings(votes, round);
        }
        self.was_closed = self.breaker().state() == CircuitState::Closed;
    }

    /// Opens the breaker if a quorum of votes asks for it. Returns whether the votes were applied.
    fn follow_openings(&mut self, votes: &[(ProcessId, Vote)], round: Round) -> bool {
        let own = self.opened_for();
        // A store of the application may announce any time.
        let longest = self.breaker().longest_open_time();
        let mut counted: Vec<(Duration, ProcessId, VoteId)> = votes
            .iter()
            .filter_map(|(process, Vote { id, state })| match state {
                VoteState::Open(left) if !left.is_zero() => {
                    Some(((*left).min(longest), *process, *id))
                }
                _ => None,
            })
            // A breaker with a vote of its own follows only the other processes.
            .filter(|(_, process, _)| own.is_none() || *process != round.process)
            .filter(|(_, _, id)| !self.answered.contains(id))
            .collect();
        let is_news = counted.iter().any(|(_, _, id)| !self.applied.contains(id));
        if !is_news || counted.len() < round.quorum {
            return false;
        }
        // Until this time the quorum lasts. A process counts once, by its longest vote.
        counted.sort_unstable_by_key(|(left, ..)| std::cmp::Reverse(*left));
        let mut seen = HashSet::new();
        counted.retain(|(_, process, _)| seen.insert(*process));
        let Some((left, ..)) = counted.get(round.quorum.saturating_sub(1)) else { return false };
        // A process that opened its breaker together with the others sends its trial call at its
        // own time. Only votes that were renewed later, after failed trial calls, extend the time.
        if own.is_some_and(|own| *left <= own.saturating_add(round.grace)) {
            return false;
        }
        let decision = CircuitDecision::Open(left.saturating_add(round.grace));
        if !self.breaker().apply_remote(decision, self.published) {
            return false;
        }
        self.applied.clone_from(&self.known);
        self.supporters = match own {
            Some(_) => Vec::new(),
            None => counted.iter().map(|(_, process, _)| *process).collect(),
        };
        true
    }

    /// Closes a breaker that followed the fleet, if too few votes are left because trial calls
    /// succeeded. A vote that is missing, or whose time is over, proves nothing by itself. The vote
    /// counts as withdrawn once another process reports a successful trial call.
    fn follow_closings(&mut self, votes: &[(ProcessId, Vote)], round: Round) {
        if !self.is_following() {
            return;
        }
        if self.opened_for().is_some() {
            self.supporters.clear();
            return;
        }
        let is_closed_again = votes
            .iter()
            .any(|(_, vote)| vote.state == VoteState::Closed && !self.applied.contains(&vote.id));
        self.supporters.retain(|process| {
            let vote = votes.iter().find(|(voter, _)| voter == process);
            match vote.map(|(_, vote)| vote.state) {
                Some(VoteState::Closed) => false,
                Some(VoteState::Open(left)) if !left.is_zero() => true,
                Some(VoteState::Open(_)) | None => !is_closed_again,
            }
        });
        if self.supporters.len() < round.quorum
            && self.breaker().apply_remote(CircuitDecision::Closed, self.published)
        {
            self.supporters.clear();
        }
    }
}

impl fmt::Debug for SyncedBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncedBreaker")
            .field("breaker", self.breaker())
            .field("supporters", &self.supporters)
            .finish_non_exhaustive()
    }
}
