//! The store implementation, generated for each database.

/// Implements a store over a pool: `sql_store!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection,
/// STATEMENTS)`.
macro_rules! sql_store {
    ($store:ident, $database:ty, $connection:ty, $statements:expr) => {
        impl $store {
            /// Selects the record of a key.
            async fn select(
                connection: &mut $connection,
                request: &ClaimRequest<'_>,
            ) -> StoreResult<Option<Row>> {
                let row = sqlx::query($statements.select)
                    .bind(&request.key.0[..])
                    .fetch_optional(connection)
                    .await
                    .map_err(store_error)?;
                row.as_ref().map(Self::record).transpose()
            }

            fn record(row: &<$database as sqlx::Database>::Row) -> StoreResult<Row> {
                Ok(Row {
                    state: row.try_get(0).map_err(store_error)?,
                    fence: row.try_get(1).map_err(store_error)?,
                    owner: row.try_get(2).map_err(store_error)?,
                    fingerprint: row.try_get(3).map_err(store_error)?,
                    outcome: row.try_get(4).map_err(store_error)?,
                    attempts: row.try_get(5).map_err(store_error)?,
                    lease_left: row.try_get(6).map_err(store_error)?,
                    is_expired: row.try_get(7).map_err(store_error)?,
                })
            }

            async fn claim_on(
                connection: &mut $connection,
                request: &ClaimRequest<'_>,
            ) -> StoreResult<Claim> {
                for _ in 0..MAX_ROUNDS {
                    let rows = sqlx::query($statements.claim)
                        .bind(&request.key.0[..])
                        .bind(&owner(request.owner)[..])
                        .bind(&request.fingerprint.0[..])
                        .bind(millis(request.lease))
                        .bind(millis(request.retention))
                        .bind(request.takeover == Takeover::Rerun)
                        .bind(request.label)
                        // Reads to the end: the first row arrives before the commit.
                        .fetch_all(&mut *connection)
                        .await
                        .map_err(store_error)?;
                    let found = match rows.first() {
                        Some(row) => Some(Self::record(row)?),
                        None if $statements.claim_reads_record => None,
                        None => Self::select(&mut *connection, request).await?,
                    };
                    if let Some(answer) = found.and_then(|row| row.answer(request)) {
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
            ) -> StoreResult<WriteOutcome> {
                let done = sqlx::query($statements.complete)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .bind(outcome)
                    .bind(millis(retention))
                    .execute(&mut *connection)
                    .await
                    .map_err(store_error)?;
                if done.rows_affected() > 0 {
                    return Ok(WriteOutcome::Applied);
                }
                // The answer to an earlier completion may have been lost.
                let again = sqlx::query($statements.is_complete)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .fetch_optional(connection)
                    .await
                    .map_err(store_error)?;
                Ok(if again.is_some() { WriteOutcome::Applied } else { WriteOutcome::Fenced })
            }

            /// Executes a statement, and returns the number of rows.
            async fn execute<'q>(
                &self,
                query: impl Fn() -> Query<'q, $database, <$database as Database>::Arguments>,
            ) -> StoreResult<u64> {
                let done = retry_rollback!({
                    let mut guard =
                        ConnectionGuard::acquire(self.pool(), $statements.grace).await?;
                    let done = query().execute(guard.connection()?).await;
                    guard.finish(done.map_err(store_error))
                });
                Ok(done?.rows_affected())
            }

            /// Executes a statement whose only parameter is the token.
            async fn write(
                &self,
                statement: &'static str,
                key: &RecordKey,
                token: Token,
            ) -> StoreResult<WriteOutcome> {
                let owner = owner(token.owner);
                let query =
                    || sqlx::query(statement).bind(&key.0[..]).bind(&owner[..]).bind(fence(token));
                self.execute(query).await.map(written)
            }
        }

        impl Store for $store {
            async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
                retry_rollback!({
                    let mut guard =
                        ConnectionGuard::acquire(self.pool(), $statements.grace).await?;
                    let answer = Self::claim_on(guard.connection()?, &request).await;
                    guard.finish(answer)
                })
            }

            async fn renew(
                &self,
                key: &RecordKey,
                token: Token,
                lease: Duration,
            ) -> StoreResult<WriteOutcome> {
                let owner = owner(token.owner);
                let query = || {
                    let query = sqlx::query($statements.renew).bind(&key.0[..]).bind(&owner[..]);
                    query.bind(fence(token)).bind(millis(lease))
                };
                self.execute(query).await.map(written)
            }

            async fn complete(
                &self,
                key: &RecordKey,
                token: Token,
                outcome: &[u8],
                retention: Duration,
            ) -> StoreResult<WriteOutcome> {
                retry_rollback!({
                    let mut guard =
                        ConnectionGuard::acquire(self.pool(), $statements.grace).await?;
                    let connection = guard.connection()?;
                    let answer =
                        Self::complete_on(connection, key, token, outcome, retention).await;
                    guard.finish(answer)
                })
            }

            async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
                self.write($statements.release, key, token).await
            }

            async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
                self.write($statements.abandon, key, token).await
            }

            async fn purge(&self, limit: usize) -> StoreResult<usize> {
                let query = || sqlx::query($statements.purge).bind(count(limit));
                let rows = self.execute(query).await?;
                Ok(usize::try_from(rows).unwrap_or(usize::MAX))
            }

            async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
                let query = || sqlx::query($statements.forget).bind(&key.0[..]);
                Ok(self.execute(query).await? > 0)
            }

            async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
                let rows = retry_rollback!({
                    let mut guard =
                        ConnectionGuard::acquire(self.pool(), $statements.grace).await?;
                    let rows = sqlx::query($statements.interrupted)
                        .bind(count(limit))
                        .fetch_all(guard.connection()?)
                        .await;
                    guard.finish(rows.map_err(store_error))
                });
                let found = rows?.into_iter().map(|row| {
                    let bytes: Vec<u8> = row.try_get(0).map_err(store_error)?;
                    let label: String = row.try_get(1).map_err(store_error)?;
                    let attempts: i32 = row.try_get(2).map_err(store_error)?;
                    Ok(Interrupted::new(key(&bytes)?, label, attempts.unsigned_abs()))
                });
                found.collect()
            }

            fn caps(&self) -> Capabilities {
                CAPS
            }

            fn id(&self) -> StoreId {
                self.id
            }
        }
    };
}
pub(crate) use sql_store;
