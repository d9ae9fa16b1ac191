//! The record of a key and its transitions: synchronous functions of record, request and time.
//!
//! The memory store keeps such records under a lock. Stores in a database express the same
//! transitions in SQL or Lua. The numbers T1 to T13 are defined in the table of transitions in
//! `docs/idempotent.md`.

use core::time::Duration;
use std::sync::Arc;

use crate::key::Fingerprint;
use crate::store::{Claim, ClaimRequest, Takeover, Token, WriteOutcome};
use resilience_core::__internal::Timestamp;

/// The stored state of a key.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// The owner of the token as bytes: the alignment of a `u128` would lengthen each record.
    owner: [u8; 16],
    fence: u64,
    fingerprint: Fingerprint,
    attempt: u32,
    state: State,
    pub(super) expires_at: Timestamp,
}

#[derive(Clone, Debug)]
enum State {
    /// The key is claimed. An interrupted call is this state with an ended lease.
    InFlight {
        lease_until: Timestamp,
    },
    Completed {
        outcome: Arc<[u8]>,
    },
    /// The call has released its claim: the side effect was not applied.
    Released,
}

impl Record {
    /// T1: the first claim of a key.
    pub(super) fn new(request: &ClaimRequest<'_>, fence: u64, now: Timestamp) -> Self {
        Self::claimed(request, fence, 1, now)
    }

    fn claimed(request: &ClaimRequest<'_>, fence: u64, attempt: u32, now: Timestamp) -> Self {
        let lease_until = now.plus(request.lease);
        Self {
            owner: request.owner.to_ne_bytes(),
            fence,
            fingerprint: *request.fingerprint,
            attempt,
            state: State::InFlight { lease_until },
            // A claimed record does not expire before the end of the lease.
            expires_at: now.plus(request.retention).max(lease_until),
        }
    }

    fn token(&self) -> Token {
        Token { owner: u128::from_ne_bytes(self.owner), fence: self.fence }
    }

    pub(super) fn acquired(&self) -> Claim {
        Claim::Acquired { token: self.token(), attempt: self.attempt }
    }

    /// Returns whether the record counts as absent.
    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// T2 to T7: a claim of a known key. `fence` returns a higher number at each call.
    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest<'_>,
        fence: impl FnOnce() -> u64,
        now: Timestamp,
    ) -> Claim {
        if self.is_expired(now) {
            *self = Self::new(request, self.next(fence()), now);
            return self.acquired();
        }
        if self.fingerprint != *request.fingerprint {
            return Claim::Mismatch;
        }
        match &self.state {
            State::Completed { outcome } => return Claim::Replay(Arc::clone(outcome)),
            State::InFlight { .. } if self.owner == request.owner.to_ne_bytes() => {
                return self.acquired();
            }
            State::InFlight { lease_until } if now < *lease_until => {
                return Claim::InFlight { lease_left: lease_until.since(now) };
            }
            State::InFlight { .. } if request.takeover == Takeover::Never => {
                return Claim::Interrupted { attempt: self.attempt };
            }
            State::InFlight { .. } | State::Released => {}
        }
        let attempt = self.attempt.saturating_add(1);
        *self = Self::claimed(request, self.next(fence()), attempt, now);
        self.acquired()
    }

    /// Returns a fence above the last fence of the record, even if the clock went back.
    fn next(&self, fence: u64) -> u64 {
        fence.max(self.fence.saturating_add(1))
    }

    /// T8: renews the lease.
    pub(super) fn renew(&mut self, token: Token, lease: Duration, now: Timestamp) -> WriteOutcome {
        let is_owner = self.token() == token;
        let State::InFlight { lease_until } = &mut self.state else { return WriteOutcome::Fenced };
        if !is_owner {
            return WriteOutcome::Fenced;
        }
        *lease_until = now.plus(lease);
        self.expires_at = self.expires_at.max(*lease_until);
        WriteOutcome::Applied
    }

    /// T9: stores the outcome, also after the end of the lease, unless another call has claimed
    /// the key.
    pub(super) fn complete(
        &mut self,
        token: Token,
        outcome: &[u8],
        retention: Duration,
        now: Timestamp,
    ) -> WriteOutcome {
        if self.token() != token {
            return WriteOutcome::Fenced;
        }
        match self.state {
            State::InFlight { .. } => {
                self.state = State::Completed { outcome: outcome.into() };
                self.expires_at = now.plus(retention);
                WriteOutcome::Applied
            }
            // A repeated completion, because the reply to the first was lost.
            State::Completed { .. } => WriteOutcome::Applied,
            State::Released => WriteOutcome::Fenced,
        }
    }

    /// T10: releases the claim.
    pub(super) fn release(&mut self, token: Token) -> WriteOutcome {
        if self.token() != token || matches!(self.state, State::Completed { .. }) {
            return WriteOutcome::Fenced;
        }
        self.state = State::Released;
        WriteOutcome::Applied
    }

    /// T11: ends the lease at once.
    pub(super) fn abandon(&mut self, token: Token, now: Timestamp) -> WriteOutcome {
        let is_owner = self.token() == token;
        match &mut self.state {
            State::InFlight { lease_until } if is_owner => {
                *lease_until = now.min(*lease_until);
                WriteOutcome::Applied
            }
            State::InFlight { .. } | State::Completed { .. } | State::Released => {
                WriteOutcome::Fenced
            }
        }
    }

    /// Returns the time during which only the owner can change the result of a claim.
    pub(super) fn lease_left(&self, now: Timestamp) -> Duration {
        match self.state {
            State::InFlight { lease_until } if !self.is_expired(now) => lease_until.since(now),
            State::InFlight { .. } | State::Completed { .. } | State::Released => Duration::ZERO,
        }
    }

    /// Returns the length of the outcome.
    pub(super) fn outcome_len(&self) -> usize {
        match &self.state {
            State::Completed { outcome } => outcome.len(),
            State::InFlight { .. } | State::Released => 0,
        }
    }

    /// Returns whether a completion with this token would store its outcome.
    pub(super) fn accepts_outcome(&self, token: Token) -> bool {
        self.token() == token && matches!(self.state, State::InFlight { .. })
    }

    /// Returns the attempt of an interrupted call.
    pub(super) fn interrupted(&self, now: Timestamp) -> Option<u32> {
        match self.state {
            State::InFlight { lease_until } if now >= lease_until && !self.is_expired(now) => {
                Some(self.attempt)
            }
            State::InFlight { .. } | State::Completed { .. } | State::Released => None,
        }
    }
}
