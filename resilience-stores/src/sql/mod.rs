//! What the stores in SQL databases have in common: the steps, each of which is one statement that is atomic by
//! itself, and what their answers mean. What differs between databases is the text of the statements.

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
pub(crate) use crate::millis::millis;
use crate::sqlx::sqlite_code;

/// The statements of one database. All have the key as `$1`; times go in and out in milliseconds.
pub(crate) struct Statements {
    /// For how long a step that was given up may keep its connection.
    pub(crate) patience: Option<Duration>,
    /// `$2` owner, `$3` fingerprint, `$4` lease, `$5` retention, `$6` whether a lapsed lease may be taken
    /// over, `$7` label. A row, `fence, attempts`, where the claim was made.
    pub(crate) claim: &'static str,
    /// `state, fence, owner, fp, outcome, attempts, lease_left, expired`
    pub(crate) look: &'static str,
    /// `$2` owner, `$3` fence, `$4` lease.
    pub(crate) renew: &'static str,
    /// `$2` owner, `$3` fence, `$4` outcome, `$5` retention.
    pub(crate) complete: &'static str,
    /// `$2` owner, `$3` fence. A row where the record is complete and this token's.
    pub(crate) is_complete: &'static str,
    /// `$2` owner, `$3` fence.
    pub(crate) release: &'static str,
    /// `$2` owner, `$3` fence.
    pub(crate) abandon: &'static str,
    /// What comes before `lock`, where that does not lock by itself.
    pub(crate) enter: Option<&'static str>,
    /// `$1` the first 8 bytes of the key. Keeps others from the key until the end of the transaction, without
    /// waiting: `is it ours, a fence for now`
    pub(crate) lock: &'static str,
    /// `$2` owner, `$3` fingerprint, `$4` outcome, `$5` retention, `$6` label.
    pub(crate) put: &'static str,
    /// `$1` how many.
    pub(crate) purge: &'static str,
    pub(crate) forget: &'static str,
    /// `$1` how many. `k, label, attempts`
    pub(crate) interrupted: &'static str,
}

/// The states, as they stand in the database.
pub(crate) const IN_FLIGHT: i16 = 1;
pub(crate) const COMPLETED: i16 = 2;
pub(crate) const RELEASED: i16 = 3;

/// A record as it was found.
pub(crate) struct Found {
    pub(crate) state: i16,
    pub(crate) fence: i64,
    pub(crate) owner: Vec<u8>,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) outcome: Option<Vec<u8>>,
    pub(crate) attempts: i32,
    /// Milliseconds, and none where the lease is over.
    pub(crate) lease_left: i64,
    pub(crate) is_expired: bool,
}

impl Found {
    /// What a claim comes to that was not made; none where it has to be tried again, because the record has
    /// changed meanwhile.
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
            _ => Some(Err(StoreError::corrupt("a record in a state that there is not"))),
        }
    }

    /// The claim of a transaction that found this, with a fence above those before it.
    pub(crate) fn next(found: Option<&Self>, request: &ClaimRequest<'_>, fence: i64) -> Claim {
        let live = found.filter(|found| !found.is_expired);
        let attempts = live.map_or(1, |found| found.attempts.saturating_add(1));
        let above = found.map_or(0, |found| found.fence.saturating_add(1));
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

/// A write that has changed so many records.
pub(crate) fn written(rows: u64) -> WriteOutcome {
    if rows > 0 { WriteOutcome::Applied } else { WriteOutcome::Fenced }
}

pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn key(bytes: &[u8]) -> StoreResult<RecordKey> {
    let key = bytes.try_into().map(RecordKey);
    key.map_err(|_| StoreError::corrupt("a key that is not 32 bytes long"))
}

/// The number by which a transaction locks a key: it is a hash already.
pub(crate) fn lock(key: &RecordKey) -> i64 {
    key.0.first_chunk().copied().map_or(0, i64::from_be_bytes)
}

/// How often a claim is tried that finds the record changed under it.
pub(crate) const ROUNDS: u32 = 8;

pub(crate) fn contended() -> StoreError {
    StoreError::unavailable("the record changed each time it was looked at")
}

/// What is said to be a transaction commits each statement by itself.
pub(crate) fn no_transaction() -> StoreError {
    StoreError::unavailable(
        "the connection is in no transaction: hand over one that `begin()` of the pool or of the connection \
         has begun",
    )
}

/// The table is missing.
#[derive(Debug)]
struct NoTable(sqlx::Error);

impl NoTable {
    fn is_meant_by(error: &sqlx::Error) -> bool {
        let Some(error) = error.as_database_error() else { return false };
        // SQLite has no code of its own for it.
        error.code().is_some_and(|code| code == "42P01")
            || error.message().starts_with("no such table: resilience_idempotency")
    }
}

impl fmt::Display for NoTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the table `resilience_idempotency` is missing: `migrate()` of the store makes it",
        )
    }
}

impl Error for NoTable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What an error of the database means for a store.
pub(crate) fn trouble(error: sqlx::Error) -> StoreError {
    let kind = match &error {
        sqlx::Error::Database(_) => code(&error).map_or(Unavailable, |code| kind(&code)),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Corrupt,
        _ => Unavailable,
    };
    match kind {
        Full => StoreError::full(error),
        Corrupt => StoreError::corrupt(error),
        _ if NoTable::is_meant_by(&error) => StoreError::unavailable(NoTable(error)),
        _ => StoreError::unavailable(error),
    }
}

/// What the database calls it.
pub(crate) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error().and_then(DatabaseError::code)
}

/// Whether another connection is writing: SQLite's `SQLITE_BUSY`, and none of its kinds that do not pass.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("5")
}

fn kind(code: &str) -> StoreErrorKind {
    match (code, sqlite_code(code)) {
        // The disk is full.
        ("53100", _) | (_, Some(13)) => Full,
        // A page, an index, or all of the file is not what was written.
        ("XX001" | "XX002", _) | (_, Some(11 | 26)) => Corrupt,
        _ => Unavailable,
    }
}

/// Whether the database has taken a step back, because of another one at the same time: it may be done again
/// at once.
pub(crate) fn is_taken_back<T>(answer: &StoreResult<T>) -> bool {
    let error = answer.as_ref().err().and_then(Error::source);
    let error = error.and_then(|error| error.downcast_ref::<sqlx::Error>());
    matches!(error.and_then(code).as_deref(), Some("40001" | "40P01"))
}

/// Does a step, and does it again where it was taken back.
macro_rules! repeated {
    ($step:expr) => {{
        let mut answer = $step;
        for _ in 1..crate::sql::ROUNDS {
            if !crate::sql::is_taken_back(&answer) {
                break;
            }
            answer = $step;
        }
        answer
    }};
}
pub(crate) use repeated;
