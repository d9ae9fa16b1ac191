//! The store itself, for each database.

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
                        // To the end and not to the first row, which comes before the commit.
                        .fetch_all(&mut *connection)
                        .await
                        .map_err(trouble)?;
                    if let Some(row) = claimed.first() {
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
            ) -> StoreResult<WriteOutcome> {
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
                    return Ok(WriteOutcome::Applied);
                }
                // Perhaps the answer to the first try was lost.
                let again = sqlx::query($statements.is_complete)
                    .bind(&key.0[..])
                    .bind(&owner(token.owner)[..])
                    .bind(fence(token))
                    .fetch_optional(connection)
                    .await
                    .map_err(trouble)?;
                Ok(if again.is_some() { WriteOutcome::Applied } else { WriteOutcome::Fenced })
            }

            /// A statement that needs no more than the token.
            async fn write(
                &self,
                statement: &'static str,
                key: &RecordKey,
                token: Token,
            ) -> StoreResult<WriteOutcome> {
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
            ) -> StoreResult<WriteOutcome> {
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
            ) -> StoreResult<WriteOutcome> {
                repeated!({
                    let mut held = Held::of(&self.pool, $statements.patience).await?;
                    let connection = held.connection()?;
                    let answer =
                        Self::complete_on(connection, key, token, outcome, retention).await;
                    held.ended(answer)
                })
            }

            async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
                repeated!(self.write($statements.release, key, token).await)
            }

            async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
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
