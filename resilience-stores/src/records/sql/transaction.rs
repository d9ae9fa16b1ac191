//! The store inside a transaction of the caller.

/// Implements the steps inside a transaction: `sql_transactions!(SqliteStore, sqlx::Sqlite,
/// sqlx::SqliteConnection, STATEMENTS)`.
macro_rules! sql_transactions {
    ($store:ident, $database:ty, $connection:ty, $statements:expr) => {
        impl TxStore<$connection> for $store {
            async fn claim_in(
                &self,
                tx: &mut $connection,
                request: ClaimRequest<'_>,
            ) -> StoreResult<Claim> {
                if !sqlx::Connection::is_in_transaction(tx) {
                    return Err(no_transaction());
                }
                let busy = || Ok(Claim::InFlight { lease_left: request.lease });
                if let Some(begin_write) = $statements.begin_write {
                    match sqlx::query(begin_write).execute(&mut *tx).await {
                        Err(error) if is_busy(&error) => return busy(),
                        begun => begun.map(drop).map_err(store_error)?,
                    }
                }
                let lock = sqlx::query($statements.lock).bind(lock(request.key));
                let row = lock.fetch_one(&mut *tx).await.map_err(store_error)?;
                if !row.try_get::<bool, _>(0).map_err(store_error)? {
                    return busy();
                }
                let fence = row.try_get(1).map_err(store_error)?;
                let found = Self::select(&mut *tx, &request).await?;
                let answer = found.as_ref().and_then(|row| row.answer(&request));
                answer.unwrap_or_else(|| Ok(Row::next(found.as_ref(), &request, fence)))
            }

            async fn complete_in(
                &self,
                tx: &mut $connection,
                request: ClaimRequest<'_>,
                outcome: &[u8],
            ) -> StoreResult<WriteOutcome> {
                let upsert = sqlx::query($statements.upsert)
                    .bind(&request.key.0[..])
                    .bind(&owner(request.owner)[..])
                    .bind(&request.fingerprint.0[..])
                    .bind(outcome)
                    .bind(millis(request.retention))
                    .bind(request.label);
                let done = upsert.execute(&mut *tx).await.map_err(store_error)?;
                Ok(written(done.rows_affected()))
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
            ) -> StoreResult<WriteOutcome> {
                self.complete_in(&mut **tx, request, outcome).await
            }
        }
    };
}
pub(crate) use sql_transactions;
