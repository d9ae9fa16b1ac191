//! What the stores in SQL databases have in common: the steps, each of which is one statement that is atomic by
//! itself, and what their answers mean. What differs between databases is the text of the statements.

use std::error::Error;
use std::time::Duration;

use resilience_core::idempotent::StoreErrorKind::{self, Corrupt, Full, Unavailable};
use resilience_core::idempotent::{
    Claim, ClaimRequest, RecordKey, StoreError, StoreResult, Takeover, Token, Write,
};
use sqlx::error::DatabaseError;

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
    pub(crate) fn answer(self, request: &ClaimRequest<'_>) -> Option<StoreResult<Claim>> {
        if self.is_expired {
            return None;
        }
        if self.fingerprint != request.fingerprint.0 {
            return Some(Ok(Claim::Mismatch));
        }
        match self.state {
            COMPLETED => Some(match self.outcome {
                Some(outcome) => Ok(Claim::Replay(outcome.into())),
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

/// Milliseconds rounded up, so that nothing ends early, and at most a hundred years, because databases count
/// no further.
pub(crate) fn millis(time: Duration) -> i64 {
    const LONGEST: i64 = 100 * 365 * 86_400_000;
    i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(LONGEST).min(LONGEST)
}

/// A write that has changed so many records.
pub(crate) fn written(rows: u64) -> Write {
    if rows > 0 { Write::Applied } else { Write::Fenced }
}

pub(crate) fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(crate) fn key(bytes: &[u8]) -> StoreResult<RecordKey> {
    let key = bytes.try_into().map(RecordKey);
    key.map_err(|_| StoreError::corrupt("a key that is not 32 bytes long"))
}

/// How often a claim is tried that finds the record changed under it.
pub(crate) const ROUNDS: u32 = 8;

pub(crate) fn contended() -> StoreError {
    StoreError::unavailable("the record changed each time it was looked at")
}

/// What an error of the database means for a store.
pub(crate) fn trouble(error: sqlx::Error) -> StoreError {
    let kind = match &error {
        sqlx::Error::Database(database) => database.code().map_or(Unavailable, |code| kind(&code)),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Corrupt,
        _ => Unavailable,
    };
    match kind {
        Full => StoreError::full(error),
        Corrupt => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}

fn kind(code: &str) -> StoreErrorKind {
    // Codes of SQLite are shorter than those of PostgreSQL. The low byte is the code; the rest says how it
    // came to it.
    let sqlite = code.parse().ok().filter(|_: &u32| code.len() < 5).map(|code| code & 0xff);
    match (code, sqlite) {
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
    let code = error.and_then(sqlx::Error::as_database_error).and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
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

/// Makes a store of a pool: `sql_store!(SqliteStore, sqlx::Sqlite, STATEMENTS)`.
macro_rules! sql_store {
    ($store:ident, $database:ty, $statements:expr) => {
        impl $store {
            /// Looks at a record that could not be claimed.
            async fn look(
                connection: &mut <$database as sqlx::Database>::Connection,
                request: &ClaimRequest<'_>,
            ) -> StoreResult<Option<StoreResult<Claim>>> {
                let row = sqlx::query($statements.look)
                    .bind(&request.key.0[..])
                    .fetch_optional(connection)
                    .await
                    .map_err(trouble)?;
                let Some(row) = row else { return Ok(None) };
                let found = Found {
                    state: row.try_get(0).map_err(trouble)?,
                    fence: row.try_get(1).map_err(trouble)?,
                    owner: row.try_get(2).map_err(trouble)?,
                    fingerprint: row.try_get(3).map_err(trouble)?,
                    outcome: row.try_get(4).map_err(trouble)?,
                    attempts: row.try_get(5).map_err(trouble)?,
                    lease_left: row.try_get(6).map_err(trouble)?,
                    is_expired: row.try_get(7).map_err(trouble)?,
                };
                Ok(found.answer(request))
            }

            async fn claim_on(
                connection: &mut <$database as sqlx::Database>::Connection,
                request: &ClaimRequest<'_>,
            ) -> StoreResult<Claim> {
                for _ in 0..ROUNDS {
                    let claimed = sqlx::query($statements.claim)
                        .bind(&request.key.0[..])
                        .bind(&owner(request.owner)[..])
                        .bind(&request.fingerprint.0[..])
                        .bind(millis(request.lease))
                        .bind(millis(request.retention))
                        .bind(request.takeover == Takeover::Rerun)
                        .bind(request.label)
                        // To the end and not to the first row, which comes before the commit.
                        .fetch_all(&mut *connection)
                        .await
                        .map_err(trouble)?;
                    if let Some(row) = claimed.first() {
                        let fence = row.try_get(0).map_err(trouble)?;
                        return Ok(acquired(request, fence, row.try_get(1).map_err(trouble)?));
                    }
                    if let Some(answer) = Self::look(&mut *connection, request).await? {
                        return answer;
                    }
                }
                Err(contended())
            }

            async fn complete_on(
                connection: &mut <$database as sqlx::Database>::Connection,
                key: &RecordKey,
                token: Token,
                outcome: &[u8],
                retention: Duration,
            ) -> StoreResult<Write> {
                let done = sqlx::query($statements.complete)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .bind(outcome)
                    .bind(millis(retention))
                    .execute(&mut *connection)
                    .await
                    .map_err(trouble)?;
                if done.rows_affected() > 0 {
                    return Ok(Write::Applied);
                }
                // Perhaps the answer to the first try was lost.
                let again = sqlx::query($statements.is_complete)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .fetch_optional(connection)
                    .await
                    .map_err(trouble)?;
                Ok(if again.is_some() { Write::Applied } else { Write::Fenced })
            }

            /// A statement that needs no more than the token.
            async fn write(
                &self,
                statement: &'static str,
                key: &RecordKey,
                token: Token,
            ) -> StoreResult<Write> {
                let mut held = Held::of(&self.pool, $statements.patience).await?;
                let done = sqlx::query(statement)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .execute(held.connection()?)
                    .await;
                held.ended(done.map_err(trouble)).map(|done| written(done.rows_affected()))
            }
        }

        impl Store for $store {
            async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
                repeated!({
                    let mut held = Held::of(&self.pool, $statements.patience).await?;
                    let answer = Self::claim_on(held.connection()?, &request).await;
                    held.ended(answer)
                })
            }

            async fn renew(
                &self,
                key: &RecordKey,
                token: Token,
                lease: Duration,
            ) -> StoreResult<Write> {
                repeated!({
                    let mut held = Held::of(&self.pool, $statements.patience).await?;
                    let done = sqlx::query($statements.renew)
                        .bind(&key.0[..])
                        .bind(&owner(token.owner)[..])
                        .bind(fence(token))
                        .bind(millis(lease))
                        .execute(held.connection()?)
                        .await;
                    held.ended(done.map_err(trouble)).map(|done| written(done.rows_affected()))
                })
            }

            async fn complete(
                &self,
                key: &RecordKey,
                token: Token,
                outcome: &[u8],
                retention: Duration,
            ) -> StoreResult<Write> {
                repeated!({
                    let mut held = Held::of(&self.pool, $statements.patience).await?;
                    let connection = held.connection()?;
                    let answer =
                        Self::complete_on(connection, key, token, outcome, retention).await;
                    held.ended(answer)
                })
            }

            async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<Write> {
                repeated!(self.write($statements.release, key, token).await)
            }

            async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<Write> {
                repeated!(self.write($statements.abandon, key, token).await)
            }

            async fn purge(&self, limit: usize) -> StoreResult<usize> {
                let done = sqlx::query($statements.purge).bind(count(limit)).execute(&self.pool);
                let rows = done.await.map_err(trouble)?.rows_affected();
                Ok(usize::try_from(rows).unwrap_or(usize::MAX))
            }

            async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
                let done = sqlx::query($statements.forget).bind(&key.0[..]).execute(&self.pool);
                Ok(done.await.map_err(trouble)?.rows_affected() > 0)
            }

            async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
                let rows = sqlx::query($statements.interrupted).bind(count(limit));
                let rows = rows.fetch_all(&self.pool).await.map_err(trouble)?;
                let found = rows.into_iter().map(|row| {
                    let bytes: Vec<u8> = row.try_get(0).map_err(trouble)?;
                    let label: String = row.try_get(1).map_err(trouble)?;
                    let attempts: i32 = row.try_get(2).map_err(trouble)?;
                    Ok(Interrupted::new(key(&bytes)?, label, attempts.unsigned_abs()))
                });
                found.collect()
            }

            fn caps(&self) -> Caps {
                CAPS
            }

            fn id(&self) -> StoreId {
                self.id
            }
        }
    };
}
pub(crate) use sql_store;
