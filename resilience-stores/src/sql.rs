//! What the stores in SQL databases have in common: the steps, each of which is one statement that is atomic by
//! itself, and what their answers mean. What differs between databases is the text of the statements.

use std::time::Duration;

use resilience_core::idempotent::{
    Claim, ClaimRequest, RecordKey, StoreError, StoreResult, Takeover, Token,
};

pub(crate) use crate::millis::millis;

/// The statements of one database. All have the key as `$1`; times go in and out in milliseconds.
pub(crate) struct Statements {
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
            _ => None,
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

/// What an error of the database means for a store.
pub(crate) fn trouble(error: sqlx::Error) -> StoreError {
    match &error {
        // Disk full: of PostgreSQL and of SQLite.
        sqlx::Error::Database(database)
            if matches!(database.code().as_deref(), Some("53100" | "13")) =>
        {
            StoreError::full(error)
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}

/// Whether another connection is writing: SQLite's `SQLITE_BUSY`.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("5")
}

/// Makes a store of a pool: `sql_store!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection, STATEMENTS)`.
macro_rules! sql_store {
    ($store:ident, $database:ty, $connection:ty, $statements:expr) => {
        impl $store {
            /// Looks at a record that could not be claimed.
            async fn look(
                connection: &mut $connection,
                request: &ClaimRequest<'_>,
            ) -> StoreResult<Option<Found>> {
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
                Ok(Some(found))
            }

            async fn claim_on(
                connection: &mut $connection,
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
                        .fetch_optional(&mut *connection)
                        .await
                        .map_err(trouble)?;
                    if let Some(row) = claimed {
                        let fence = row.try_get(0).map_err(trouble)?;
                        return Ok(acquired(request, fence, row.try_get(1).map_err(trouble)?));
                    }
                    let found = Self::look(&mut *connection, request).await?;
                    if let Some(answer) = found.and_then(|found| found.answer(request)) {
                        return answer;
                    }
                }
                Err(contended())
            }

            async fn complete_on(
                connection: &mut $connection,
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
                let done = sqlx::query(statement)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .execute(&self.pool)
                    .await
                    .map_err(trouble)?;
                Ok(if done.rows_affected() > 0 { Write::Applied } else { Write::Fenced })
            }
        }

        impl Store for $store {
            async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
                let mut connection = self.pool.acquire().await.map_err(trouble)?;
                Self::claim_on(&mut connection, &request).await
            }

            async fn renew(
                &self,
                key: &RecordKey,
                token: Token,
                lease: Duration,
            ) -> StoreResult<Write> {
                let done = sqlx::query($statements.renew)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .bind(millis(lease))
                    .execute(&self.pool)
                    .await
                    .map_err(trouble)?;
                Ok(if done.rows_affected() > 0 { Write::Applied } else { Write::Fenced })
            }

            async fn complete(
                &self,
                key: &RecordKey,
                token: Token,
                outcome: &[u8],
                retention: Duration,
            ) -> StoreResult<Write> {
                let mut connection = self.pool.acquire().await.map_err(trouble)?;
                Self::complete_on(&mut connection, key, token, outcome, retention).await
            }

            async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<Write> {
                self.write($statements.release, key, token).await
            }

            async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<Write> {
                self.write($statements.abandon, key, token).await
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

        impl TxStore<$connection> for $store {
            async fn claim_in(
                &self,
                tx: &mut $connection,
                request: ClaimRequest<'_>,
            ) -> StoreResult<Claim> {
                let busy = || Ok(Claim::InFlight { lease_left: request.lease });
                if let Some(enter) = $statements.enter {
                    match sqlx::query(enter).execute(&mut *tx).await {
                        Err(error) if is_busy(&error) => return busy(),
                        entered => entered.map(drop).map_err(trouble)?,
                    }
                }
                let lock = sqlx::query($statements.lock).bind(lock(request.key));
                let row = lock.fetch_one(&mut *tx).await.map_err(trouble)?;
                if !row.try_get::<bool, _>(0).map_err(trouble)? {
                    return busy();
                }
                let fence = row.try_get(1).map_err(trouble)?;
                let found = Self::look(&mut *tx, &request).await?;
                let answer = found.as_ref().and_then(|found| found.answer(&request));
                answer.unwrap_or_else(|| Ok(Found::next(found.as_ref(), &request, fence)))
            }

            async fn complete_in(
                &self,
                tx: &mut $connection,
                request: ClaimRequest<'_>,
                outcome: &[u8],
            ) -> StoreResult<Write> {
                let put = sqlx::query($statements.put)
                    .bind(&request.key.0[..])
                    .bind(&owner(request.owner)[..])
                    .bind(&request.fingerprint.0[..])
                    .bind(outcome)
                    .bind(millis(request.retention))
                    .bind(request.label);
                let done = put.execute(&mut *tx).await.map_err(trouble)?;
                Ok(if done.rows_affected() > 0 { Write::Applied } else { Write::Fenced })
            }
        }

        impl TxStore<sqlx::Transaction<'_, $database>> for $store {
            async fn claim_in(
                &self,
                tx: &mut sqlx::Transaction<'_, $database>,
                request: ClaimRequest<'_>,
            ) -> StoreResult<Claim> {
                self.claim_in(&mut **tx, request).await
            }

            async fn complete_in(
                &self,
                tx: &mut sqlx::Transaction<'_, $database>,
                request: ClaimRequest<'_>,
                outcome: &[u8],
            ) -> StoreResult<Write> {
                self.complete_in(&mut **tx, request, outcome).await
            }
        }
    };
}
pub(crate) use sql_store;
