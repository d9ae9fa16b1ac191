//! The common part of the SQL stores: the steps of a store, and the meaning of the answers.
//!
//! Each step is a single atomic statement. The databases differ only in the text of the
//! statements.

mod store;
mod transaction;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use resilience_idempotency::StoreErrorKind::{self, Corrupt, Full, Unavailable};
use resilience_idempotency::{
    Claim, ClaimRequest, RecordKey, StoreError, StoreResult, Takeover, Token, WriteOutcome,
};
use sqlx::error::DatabaseError;

pub(crate) use self::store::sql_store;
pub(crate) use self::transaction::sql_transactions;
pub(crate) use crate::db_time::millis;
use crate::rolled_back::StepError;
pub(crate) use crate::rolled_back::{MAX_ROUNDS, retry_rollback};
use crate::sqlx::sqlite_code;

/// The statements of one database. `$1` is the key unless documented otherwise; times are in
/// milliseconds.
pub(crate) struct Statements {
    /// The time a dropped step may keep the connection.
    pub(crate) grace: Option<Duration>,
    /// `$2` owner, `$3` fingerprint, `$4` lease, `$5` retention, `$6` whether to take over an
    /// expired lease, `$7` label. Returns the record of the claimant, as `select` does, after a
    /// successful claim.
    pub(crate) claim: &'static str,
    /// Whether `claim` also returns the record that prevents the claim. No row then means that the
    /// record has changed meanwhile.
    pub(crate) claim_reads_record: bool,
    /// Returns `state, fence, owner, fp, outcome, attempts, lease_left, expired`.
    pub(crate) select: &'static str,
    /// `$2` owner, `$3` fence, `$4` lease.
    pub(crate) renew: &'static str,
    /// `$2` owner, `$3` fence, `$4` outcome, `$5` retention.
    pub(crate) complete: &'static str,
    /// `$2` owner, `$3` fence. Returns a row if the record of the token is complete.
    pub(crate) is_complete: &'static str,
    /// `$2` owner, `$3` fence.
    pub(crate) release: &'static str,
    /// `$2` owner, `$3` fence.
    pub(crate) abandon: &'static str,
    /// Starts a write before `lock`, for a database whose `lock` acquires no lock.
    pub(crate) begin_write: Option<&'static str>,
    /// `$1` the first 8 bytes of the key. Locks the key until the end of the transaction, without
    /// waiting. Returns `locked, fence`.
    pub(crate) lock: &'static str,
    /// `$2` owner, `$3` fingerprint, `$4` outcome, `$5` retention, `$6` label.
    pub(crate) upsert: &'static str,
    /// `$1` limit.
    pub(crate) purge: &'static str,
    pub(crate) forget: &'static str,
    /// `$1` limit. Returns rows `k, label, attempts`.
    pub(crate) interrupted: &'static str,
}

/// The states of a record, as stored in the database.
pub(crate) const IN_FLIGHT: i16 = 1;
pub(crate) const COMPLETED: i16 = 2;
pub(crate) const RELEASED: i16 = 3;

/// The record of a key, as selected from the database.
pub(crate) struct Row {
    pub(crate) state: i16,
    pub(crate) fence: i64,
    pub(crate) owner: Vec<u8>,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) outcome: Option<Vec<u8>>,
    pub(crate) attempts: i32,
    /// In milliseconds; zero or negative after the end of the lease.
    pub(crate) lease_left: i64,
    pub(crate) is_expired: bool,
}

impl Row {
    /// Returns the result of a claim that was not made. `None` means that the record has changed
    /// meanwhile and the claim must be repeated.
    pub(crate) fn answer(&self, request: &ClaimRequest<'_>) -> Option<StoreResult<Claim>> {
        if self.is_expired {
            return None;
        }
        if self.fingerprint != request.fingerprint.0 {
            return Some(Ok(Claim::Mismatch));
        }
        match self.state {
            COMPLETED => Some(match &self.outcome {
                Some(outcome) => Ok(Claim::Replay(outcome.as_slice().into())),
                None => Err(StoreError::corrupt("a completed record without an outcome")),
            }),
            IN_FLIGHT if self.owner == owner(request.owner) => Some(Ok(self.acquired(request))),
            IN_FLIGHT if self.lease_left > 0 => {
                let lease_left = Duration::from_millis(self.lease_left.unsigned_abs());
                Some(Ok(Claim::InFlight { lease_left }))
            }
            IN_FLIGHT if request.takeover == Takeover::Never => {
                Some(Ok(Claim::Interrupted { attempt: self.attempts.unsigned_abs() }))
            }
            IN_FLIGHT | RELEASED => None,
            _ => Some(Err(StoreError::corrupt("a record in an unknown state"))),
        }
    }

    /// Returns the claim of a transaction over this record, with a higher fence than any before.
    pub(crate) fn next(row: Option<&Self>, request: &ClaimRequest<'_>, fence: i64) -> Claim {
        let live = row.filter(|row| !row.is_expired);
        let attempts = live.map_or(1, |row| row.attempts.saturating_add(1));
        let above = row.map_or(0, |row| row.fence.saturating_add(1));
        acquired(request, fence.max(above), attempts)
    }

    fn acquired(&self, request: &ClaimRequest<'_>) -> Claim {
        acquired(request, self.fence, self.attempts)
    }
}

pub(crate) fn acquired(request: &ClaimRequest<'_>, fence: i64, attempts: i32) -> Claim {
    let token = Token { owner: request.owner, fence: fence.unsigned_abs() };
    Claim::Acquired { token, attempt: attempts.unsigned_abs() }
}

pub(crate) fn owner(owner: u128) -> [u8; 16] {
    owner.to_be_bytes()
}

pub(crate) fn fence(token: Token) -> i64 {
    i64::try_from(token.fence).unwrap_or(i64::MAX)
}

/// Returns the result of a write from the number of changed records.
pub(crate) fn written(rows: u64) -> WriteOutcome {
    if rows > 0 { WriteOutcome::Applied } else { WriteOutcome::Fenced }
}

pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn key(bytes: &[u8]) -> StoreResult<RecordKey> {
    let key = bytes.try_into().map(RecordKey);
    key.map_err(|_| StoreError::corrupt("a key with a length other than 32 bytes"))
}

/// Returns the lock number of a key: the first 8 bytes, because the key is already a hash.
pub(crate) fn lock(key: &RecordKey) -> i64 {
    key.0.first_chunk().copied().map_or(0, i64::from_be_bytes)
}

pub(crate) fn contended() -> StoreError {
    StoreError::unavailable("the record changed in every round of the claim")
}

/// The error for a connection without a transaction, which commits each statement separately.
pub(crate) fn no_transaction() -> StoreError {
    StoreError::unavailable(
        "the connection is not in a transaction; pass a transaction started by `begin()` of the pool or \
         of the connection",
    )
}

/// The error for a missing table.
#[derive(Debug)]
struct NoTable(sqlx::Error);

impl NoTable {
    fn matches(error: &sqlx::Error) -> bool {
        let Some(error) = error.as_database_error() else { return false };
        // SQLite has no code for a missing table.
        error.code().is_some_and(|code| code == "42P01")
            || error.message().starts_with("no such table: resilience_idempotency")
    }
}

impl fmt::Display for NoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the table `resilience_idempotency` does not exist; call `migrate()` of the store",
        )
    }
}

impl Error for NoTable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Converts an error of the database to the error of a store.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    let kind = match &error {
        sqlx::Error::Database(_) => code(&error).map_or(Unavailable, |code| kind(&code)),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Corrupt,
        _ => Unavailable,
    };
    match kind {
        Full => StoreError::full(error),
        Corrupt => StoreError::corrupt(error),
        _ if NoTable::matches(&error) => StoreError::unavailable(NoTable(error)),
        _ => StoreError::unavailable(error),
    }
}

/// Returns the error code of the database.
pub(crate) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}

/// Returns whether another connection is writing: plain `SQLITE_BUSY`, without the extended codes
/// that do not resolve by waiting.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("5")
}

fn kind(code: &str) -> StoreErrorKind {
    match (code, sqlite_code(code)) {
        // The disk is full.
        ("53100", _) | (_, Some(13)) => Full,
        // A page, an index, or the whole file is corrupt.
        ("XX001" | "XX002", _) | (_, Some(11 | 26)) => Corrupt,
        _ => Unavailable,
    }
}

impl StepError for StoreError {
    fn is_rolled_back(&self) -> bool {
        let error = self.source().and_then(|error| error.downcast_ref::<sqlx::Error>());
        error.is_some_and(StepError::is_rolled_back)
    }
}
