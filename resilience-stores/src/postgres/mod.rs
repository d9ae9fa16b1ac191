//! Idempotency records in PostgreSQL: shared by all machines, as safe as the database is.

mod statements;

use std::time::Duration;

use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreId, StoreResult,
    Takeover, Token, TxStore, WriteOutcome,
};
use sqlx::postgres::PgPool;
use sqlx::{Executor, Row};

use self::statements::STATEMENTS;
use crate::held::Held;
use crate::sql::{
    Found, ROUNDS, acquired, contended, count, fence, is_busy, key, lock, millis, no_transaction,
    owner, repeated, sql_store, sql_transactions, trouble, written,
};

/// The table and its index, for those who make their tables themselves.
pub const SCHEMA: &str = include_str!("schema.sql");

const CAPS: Capabilities =
    Capabilities::new().durable(true).shared(true).max_outcome(512 * 1024 * 1024);

/// Idempotency records in a PostgreSQL database.
///
/// It has to be the primary: a replica that lags behind has not heard of a claim. Every step is a statement of
/// its own, and prepared: behind `PgBouncer` in its transaction mode that takes version 1.21, with
/// `max_prepared_statements`. A handle, to be cloned.
///
/// ```no_run
/// # extern crate resilience_stores as stores;
/// # async fn open(pool: sqlx::PgPool) -> Result<(), sqlx::Error> {
/// let store = stores::PostgresStore::new(pool);
/// store.migrate().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
    id: StoreId,
}

impl PostgresStore {
    /// The records in this database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, id: StoreId::new() }
    }

    /// Makes the table where it is missing, in the first schema of the search path.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        // Two that make it at the same time would trip over each other.
        let mut transaction = self.pool.begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(7243615890211)").await?;
        transaction.execute(SCHEMA).await?;
        transaction.commit().await
    }

    /// The connections, for the rest of the application.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

sql_store!(PostgresStore, sqlx::Postgres, sqlx::PgConnection, STATEMENTS);
sql_transactions!(PostgresStore, sqlx::Postgres, sqlx::PgConnection, STATEMENTS);
