//! A store as a plain list of rows: a second implementation of the table of transitions. An
//! optional defect breaks a single rule.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use resilience::idempotent::{
    Capabilities, Claim, ClaimRequest, Fingerprint, Interrupted, RecordKey, Store, StoreId,
    StoreResult, Takeover, Token, WriteOutcome,
};
use tokio::time::Instant;

use super::defects::Defect;

#[derive(Clone)]
struct Row {
    key: RecordKey,
    token: Token,
    fingerprint: Fingerprint,
    attempt: u32,
    state: State,
    lease_until: Duration,
    expires_at: Duration,
    label: String,
}

#[derive(Clone, PartialEq)]
enum State {
    InFlight,
    Completed(Vec<u8>),
    Released,
}

#[derive(Clone)]
pub(crate) struct ListStore {
    rows: Arc<Mutex<Rows>>,
    begin: Instant,
    id: StoreId,
    defect: Option<Defect>,
}

#[derive(Clone, Default)]
struct Rows {
    rows: Vec<Row>,
    fence: u64,
}

impl ListStore {
    pub(crate) fn new(defect: Option<Defect>) -> Self {
        Self { rows: Arc::default(), begin: Instant::now(), id: StoreId::new(), defect }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    fn after(&self, time: Duration) -> Duration {
        if self.has(Defect::TimesOverflow) {
            let nanos = u64::try_from(time.as_nanos() % u128::from(u32::MAX));
            return self.now() + Duration::from_nanos(nanos.unwrap_or_default());
        }
        self.now().saturating_add(time)
    }

    fn is_lapsed(&self, row: &Row) -> bool {
        match self.defect {
            Some(Defect::LeaseEndsLate) => self.now() > row.lease_until,
            _ => self.now() >= row.lease_until,
        }
    }

    fn is_expired(&self, row: &Row) -> bool {
        match self.defect {
            Some(Defect::RecordEndsLate) => self.now() > row.expires_at,
            Some(Defect::RecordNeverEnds) => false,
            _ => self.now() >= row.expires_at,
        }
    }

    /// Shortens the key, for the defects of columns that are too narrow.
    fn key(&self, key: &RecordKey) -> RecordKey {
        let mut bytes = key.0;
        match self.defect {
            Some(Defect::KeyCutAtNul) => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                bytes[end..].fill(0);
            }
            Some(Defect::KeyHalved) => bytes[16..].fill(0),
            _ => {}
        }
        RecordKey(bytes)
    }

    fn fingerprint(&self, fingerprint: &Fingerprint) -> Fingerprint {
        let mut bytes = fingerprint.0;
        if self.has(Defect::FingerprintHalved) {
            bytes[16..].fill(0);
        }
        Fingerprint(bytes)
    }

    fn token(&self, request: &ClaimRequest<'_>, fence: u64) -> Token {
        let cut = self.has(Defect::OwnerHalved);
        Token {
            owner: if cut { request.owner & u128::from(u64::MAX) } else { request.owner },
            fence,
        }
    }

    fn claim_now(&self, request: &ClaimRequest<'_>, rows: &mut Rows) -> Claim {
        let (key, fingerprint) = (self.key(request.key), self.fingerprint(request.fingerprint));
        let Some(at) = rows.rows.iter().position(|row| row.key == key) else {
            return self.take(request, rows, None, 1);
        };
        let row = rows.rows[at].clone();
        if self.is_expired(&row) {
            let attempt = if self.has(Defect::AttemptOutlivesExpiry) { row.attempt + 1 } else { 1 };
            return self.take(request, rows, Some(at), attempt);
        }
        let is_same = row.fingerprint == fingerprint;
        let is_owner = row.token.owner == self.token(request, 0).owner;
        let lapsed = self.is_lapsed(&row);
        let unchecked = match self.defect {
            Some(Defect::ReplayBeforeMismatch) => matches!(row.state, State::Completed(_)),
            Some(Defect::InFlightBeforeMismatch) => row.state == State::InFlight && !lapsed,
            Some(Defect::OwnerBeforeMismatch) => row.state == State::InFlight && is_owner,
            Some(Defect::LapseBeforeMismatch) => row.state == State::InFlight && lapsed,
            Some(Defect::ReleaseForgetsFingerprint) => row.state == State::Released,
            _ => false,
        };
        if !is_same && !unchecked {
            if self.has(Defect::MismatchEndsLease) {
                rows.rows[at].lease_until = Duration::ZERO;
            }
            return Claim::Mismatch;
        }
        match row.state {
            State::Completed(bytes) => return Claim::Replay(bytes.into()),
            State::InFlight if is_owner && !self.has(Defect::NewTokenForSameOwner) => {
                if self.has(Defect::RepeatedClaimRenews) {
                    rows.rows[at].lease_until = self.after(request.lease);
                }
                if !(lapsed && self.has(Defect::LapsedOwnerIsAnybody)) {
                    return Claim::Acquired { token: row.token, attempt: row.attempt };
                }
            }
            State::InFlight if !lapsed && !is_owner => {
                if self.has(Defect::ClaimRelabels) {
                    request.label.clone_into(&mut rows.rows[at].label);
                }
                let left = row.lease_until.saturating_sub(self.now());
                let left = if self.has(Defect::LeaseLeftIsWhole) { request.lease } else { left };
                return Claim::InFlight { lease_left: left };
            }
            State::Released
                if self.has(Defect::ReleasedIsInterrupted)
                    && request.takeover == Takeover::Never =>
            {
                return Claim::Interrupted { attempt: row.attempt };
            }
            _ => {}
        }
        let is_over = row.state == State::InFlight;
        let never = request.takeover == Takeover::Never && !self.has(Defect::NeverIsRerun);
        if is_over && never {
            return Claim::Interrupted { attempt: row.attempt };
        }
        let attempt = if self.has(Defect::AttemptsUncounted) { 1 } else { row.attempt + 1 };
        self.take(request, rows, Some(at), attempt)
    }

    fn take(
        &self,
        request: &ClaimRequest<'_>,
        rows: &mut Rows,
        at: Option<usize>,
        attempt: u32,
    ) -> Claim {
        let before = at.map(|at| rows.rows[at].token.fence);
        rows.fence += 1;
        let fence = match (self.defect, before) {
            (Some(Defect::TakeoverKeepsFence), Some(before)) => before,
            (Some(Defect::FenceGoesWithRow), before) => before.unwrap_or(0) + 1,
            _ => rows.fence,
        };
        let lease_until = self.after(request.lease);
        let expires_at = self.after(request.retention);
        let early = self.has(Defect::ExpiresBeforeLease);
        let row = Row {
            key: self.key(request.key),
            token: self.token(request, fence),
            fingerprint: self.fingerprint(request.fingerprint),
            attempt,
            state: State::InFlight,
            lease_until,
            expires_at: if early { expires_at } else { expires_at.max(lease_until) },
            label: request.label.to_owned(),
        };
        let claim = Claim::Acquired { token: row.token, attempt };
        match at {
            Some(at) => rows.rows[at] = row,
            None => rows.rows.push(row),
        }
        claim
    }

    #[expect(clippy::unnecessary_wraps, reason = "what every step of a store returns")]
    fn write(
        &self,
        key: &RecordKey,
        token: Token,
        unfenced: Defect,
        write: impl FnOnce(&mut Row) -> bool,
    ) -> StoreResult<WriteOutcome> {
        let mut rows = self.rows();
        let key = self.key(key);
        let Some(row) = rows.rows.iter_mut().find(|row| row.key == key) else {
            return Ok(WriteOutcome::Fenced);
        };
        let owner = if self.has(Defect::OwnerHalved) {
            token.owner & u128::from(u64::MAX)
        } else {
            token.owner
        };
        let matches = match self.defect {
            Some(Defect::OwnerIsEnough) => row.token.owner == owner,
            Some(Defect::FenceIsEnough) => row.token.fence == token.fence,
            Some(defect) if defect == unfenced => true,
            _ => row.token == Token { owner, ..token },
        };
        let is_applied = matches && write(row);
        Ok(if is_applied { WriteOutcome::Applied } else { WriteOutcome::Fenced })
    }
}

impl Store for ListStore {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        if self.has(Defect::ClaimInTwoSteps) {
            let key = self.key(request.key);
            let is_there = self.rows().rows.iter().any(|row| row.key == key);
            tokio::task::yield_now().await;
            if !is_there {
                return Ok(self.take(&request, &mut self.rows(), None, 1));
            }
        }
        if self.has(Defect::TakeoverInTwoSteps) {
            let key = self.key(request.key);
            let mut copy = self.rows().clone();
            tokio::task::yield_now().await;
            let claim = self.claim_now(&request, &mut copy);
            let mut rows = self.rows();
            rows.fence = rows.fence.max(copy.fence);
            rows.rows.retain(|row| row.key != key);
            rows.rows.extend(copy.rows.into_iter().filter(|row| row.key == key));
            return Ok(claim);
        }
        Ok(self.claim_now(&request, &mut self.rows()))
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.write(key, token, Defect::UnfencedRenew, |row| {
            if row.state != State::InFlight && !self.has(Defect::RenewAfterTheEnd) {
                return false;
            }
            if self.has(Defect::LapsedIsNotRenewed) && self.is_lapsed(row) {
                return false;
            }
            row.lease_until = self.after(lease);
            if !self.has(Defect::RenewLeavesExpiry) {
                row.expires_at = row.expires_at.max(row.lease_until);
            }
            if self.has(Defect::RenewMovesExpiry) {
                row.expires_at = row.lease_until;
            }
            true
        })
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.write(key, token, Defect::UnfencedComplete, |row| {
            match row.state {
                State::InFlight => {}
                State::Completed(_) if self.has(Defect::RepeatedCompletionIsFenced) => {
                    return false;
                }
                State::Completed(_) if self.has(Defect::RepeatedCompletionOverwrites) => {}
                State::Completed(_) => return true,
                State::Released if self.has(Defect::CompleteAfterRelease) => {}
                State::Released => return false,
            }
            if self.has(Defect::LateCompletionIsFenced) && self.is_lapsed(row) {
                return false;
            }
            let outcome = match self.defect {
                Some(Defect::OutcomeIsText) => String::from_utf8_lossy(outcome).into_owned().into(),
                Some(Defect::OutcomeIsShort) => outcome[..outcome.len().min(65_535)].to_vec(),
                Some(Defect::EmptyOutcomeIsNull) if outcome.is_empty() => return true,
                _ => outcome.to_vec(),
            };
            row.state = State::Completed(outcome);
            if !self.has(Defect::RetentionFromClaim) {
                row.expires_at = self.after(retention);
            }
            true
        })
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        let written = self.write(key, token, Defect::UnfencedRelease, |row| match row.state {
            State::Completed(_) if self.has(Defect::ReleaseAfterCompletion) => {
                row.state = State::Released;
                true
            }
            State::Completed(_) => false,
            State::Released if self.has(Defect::RepeatedReleaseIsFenced) => false,
            _ => {
                row.state = State::Released;
                true
            }
        })?;
        if self.has(Defect::ReleaseRemoves) && written == WriteOutcome::Applied {
            self.rows().rows.retain(|row| row.key != *key);
        }
        Ok(written)
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.write(key, token, Defect::UnfencedAbandon, |row| {
            if row.state != State::InFlight {
                return false;
            }
            match self.defect {
                Some(Defect::AbandonReleases) => row.state = State::Released,
                Some(Defect::AbandonWaits) => {}
                _ => row.lease_until = row.lease_until.min(self.now()),
            }
            true
        })
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        let mut purged = 0;
        let most = if self.has(Defect::PurgeHasNoLimit) { usize::MAX } else { limit };
        self.rows().rows.retain(|row| {
            let goes = match self.defect {
                Some(Defect::PurgeRemovesNothing) => false,
                Some(Defect::PurgeRemovesTheLapsed) => {
                    row.state == State::InFlight && self.is_lapsed(row) || self.is_expired(row)
                }
                Some(Defect::PurgeRemovesTheReleased) => {
                    row.state == State::Released || self.is_expired(row)
                }
                _ => self.is_expired(row),
            };
            let goes = goes && purged < most;
            purged += usize::from(goes);
            !goes
        });
        Ok(purged)
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        let key = self.key(key);
        let mut rows = self.rows();
        let before = rows.rows.len();
        let keeps = self.has(Defect::ForgetKeepsTheHeld);
        rows.rows.retain(|row| row.key != key || keeps && row.state == State::InFlight);
        Ok(rows.rows.len() < before)
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        let rows = self.rows();
        let listed = rows.rows.iter().filter(|row| match self.defect {
            Some(Defect::ListsTheHeld) => row.state == State::InFlight,
            Some(Defect::ListsTheEnded) => self.is_lapsed(row) || row.state != State::InFlight,
            Some(Defect::ListsTheExpired) => row.state == State::InFlight && self.is_lapsed(row),
            _ => row.state == State::InFlight && self.is_lapsed(row) && !self.is_expired(row),
        });
        let limit = if self.has(Defect::ListHasNoLimit) { usize::MAX } else { limit };
        let found = listed.map(|row| Interrupted::new(row.key, &*row.label, row.attempt));
        Ok(found.take(limit).collect())
    }

    fn caps(&self) -> Capabilities {
        Capabilities::new()
    }

    fn id(&self) -> StoreId {
        if self.has(Defect::EveryHandleIsAnother) { StoreId::new() } else { self.id }
    }
}
