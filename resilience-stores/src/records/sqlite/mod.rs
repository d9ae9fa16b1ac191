//! Idempotency records in SQLite: a file that survives the process.

mod statements;

use std::path::Path;
use std::time::{Duration, Instant};

use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreId, StoreResult,
    Takeover, Token, TxStore, WriteOutcome,
};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Database, Executor, Row as _};

use self::statements::STATEMENTS;
use crate::records::connection_guard::ConnectionGuard;
use crate::records::connections::Connections;
use crate::records::sql::{
    MAX_ROUNDS, Row, code, contended, count, fence, is_busy, key, lock, millis, no_transaction,
    owner, retry_rollback, sql_store, sql_transactions, store_error, written,
};
use crate::sqlx::sqlite_code;

/// The definition of the table and the index, for applications with their own migrations.
pub const SCHEMA: &str = include_str!("schema.sql");

const CAPS: Capabilities = Capabilities::new().durable(true).max_outcome(512 * 1024 * 1024);

/// The longest wait for the write lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns whether another process has locked the file: any kind of `SQLITE_BUSY`.
fn is_in_use(error: &sqlx::Error) -> bool {
    code(error).and_then(|code| sqlite_code(&code)) == Some(5)
}

/// A store of idempotency records in an SQLite database, for a single machine whose records must
/// survive a restart.
///
/// Several processes of the machine may share the file. Network file systems do not lock reliably
/// enough. Clones share the connection.
///
/// ```no_run
/// # async fn open() -> Result<(), sqlx::Error> {
/// use resilience::stores::SqliteStore;
///
/// let store = SqliteStore::open("payments.db").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    connections: Connections<sqlx::Sqlite>,
    id: StoreId,
}

impl SqliteStore {
    /// Opens a database, and creates the file and the table if missing.
    ///
    /// An acknowledged record is on the disk (`synchronous = FULL`). Readers do not block the
    /// writer (WAL). A writer waits up to five seconds for another process. Removed outcomes are
    /// overwritten with zeros (`secure_delete`).
    ///
    /// # Errors
    /// Returns the `sqlx::Error` of a failed open or statement.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        let begin = Instant::now();
        // SQLite allows a single writer. With one connection, writers queue in the pool without
        // polling.
        let pool = || SqlitePoolOptions::new().max_connections(1).connect_with(options.clone());
        let pool = loop {
            match pool().await {
                // SQLite does not wait while another process creates the WAL.
                Err(error) if is_in_use(&error) && begin.elapsed() < BUSY_TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => break opened?,
            }
        };
        let store = Self::with_own_pool(pool);
        store.migrate().await?;
        Ok(store)
    }

    /// Creates a store in the database of the pool, with a separate connection.
    ///
    /// The store opens one connection with the options of `pool` and with `secure_delete`, at the
    /// first step. The connections of `pool` stay with the application: a body that holds the last
    /// connection would keep the store from renewing the lease of the body, and another call would
    /// take over.
    ///
    /// With `synchronous` below `FULL`, a power failure may lose the most recent outcomes.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a pool that is made in place is common")]
    pub fn new(pool: SqlitePool) -> Self {
        let connect = (*pool.connect_options()).clone().pragma("secure_delete", "ON");
        Self::over(Connections::separate(&pool, connect, 1))
    }

    /// Creates a store over a pool that only the store uses.
    ///
    /// A body must not hold a connection of this pool: see [`new`](Self::new).
    #[must_use]
    pub fn with_own_pool(pool: SqlitePool) -> Self {
        Self::over(Connections::given(pool))
    }

    fn over(connections: Connections<sqlx::Sqlite>) -> Self {
        Self { connections, id: StoreId::new() }
    }

    /// Creates the table if the table does not exist.
    ///
    /// # Errors
    /// Returns the `sqlx::Error` of the failed statement.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        self.pool().execute(SCHEMA).await.map(drop)
    }

    /// Returns the pool of the store, to close the pool or to run a checkpoint. The bodies of calls
    /// must not hold a connection of this pool: see [`new`](Self::new).
    ///
    /// # Panics
    /// Panics outside of a tokio runtime if the store has a separate connection and no step has
    /// run so far.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        self.connections.pool()
    }
}

sql_store!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection, STATEMENTS);
sql_transactions!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection, STATEMENTS);
