//! Idempotency records in PostgreSQL: shared by all machines, as durable as the database.

mod statements;

use std::time::Duration;

use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreId, StoreResult,
    Takeover, Token, TxStore, WriteOutcome,
};
use sqlx::postgres::PgPool;
use sqlx::query::Query;
use sqlx::{Database, Executor, Row as _};

use self::statements::STATEMENTS;
use crate::records::connection_guard::ConnectionGuard;
use crate::records::connections::Connections;
use crate::records::sql::{
    MAX_ROUNDS, Row, contended, count, fence, is_busy, key, lock, millis, no_transaction, owner,
    retry_rollback, sql_store, sql_transactions, store_error, written,
};

/// The definition of the table and the index, for applications with their own migrations.
pub const SCHEMA: &str = include_str!("schema.sql");

const CAPS: Capabilities =
    Capabilities::new().durable(true).shared(true).max_outcome(512 * 1024 * 1024);

/// A store of idempotency records in a PostgreSQL database.
///
/// The database has to be the primary: a lagging replica does not know the latest claims. Every
/// step is a single prepared statement. Behind `PgBouncer` in transaction mode, prepared
/// statements require version 1.21 with `max_prepared_statements`. Clones share the connections.
///
/// ```no_run
/// # async fn open(pool: sqlx::PgPool) -> Result<(), sqlx::Error> {
/// use resilience::stores::PostgresStore;
///
/// let store = PostgresStore::new(pool);
/// store.migrate().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresStore {
    connections: Connections<sqlx::Postgres>,
    id: StoreId,
}

/// The largest number of separate connections.
const CONNECTIONS: u32 = 4;

impl PostgresStore {
    /// Creates a store in the database of the pool, with separate connections.
    ///
    /// The store opens up to four connections with the options of `pool`, at the first step. The
    /// connections of `pool` stay with the application: a body that holds the last connection
    /// would keep the store from renewing the lease of the body, and another call would take over.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a pool that is made in place is common")]
    pub fn new(pool: PgPool) -> Self {
        let connect = (*pool.connect_options()).clone();
        Self::over(Connections::separate(&pool, connect, CONNECTIONS))
    }

    /// Creates a store over a pool that only the store uses.
    ///
    /// A body must not hold a connection of this pool: see [`new`](Self::new).
    #[must_use]
    pub fn with_own_pool(pool: PgPool) -> Self {
        Self::over(Connections::given(pool))
    }

    fn over(connections: Connections<sqlx::Postgres>) -> Self {
        Self { connections, id: StoreId::new() }
    }

    /// Creates the table in the first schema of the search path, if the table does not exist.
    ///
    /// # Errors
    /// Returns the `sqlx::Error` of the failed statement.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        // The advisory lock serializes concurrent migrations, which PostgreSQL would fail.
        let mut transaction = self.pool().begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(7243615890211)").await?;
        transaction.execute(SCHEMA).await?;
        transaction.commit().await
    }

    /// Returns the pool of the store, to close the pool or to watch its size. The bodies of calls
    /// must not hold a connection of this pool: see [`new`](Self::new).
    ///
    /// # Panics
    /// Panics outside of a tokio runtime if the store has separate connections and no step has run
    /// so far.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        self.connections.pool()
    }
}

sql_store!(PostgresStore, sqlx::Postgres, sqlx::PgConnection, STATEMENTS);
sql_transactions!(PostgresStore, sqlx::Postgres, sqlx::PgConnection, STATEMENTS);
