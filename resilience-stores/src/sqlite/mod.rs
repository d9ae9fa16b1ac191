//! Idempotency records in SQLite: one file, which outlives the process.

mod statements;

use std::path::Path;
use std::time::{Duration, Instant};

use resilience_idempotency::{
    Capabilities, Claim, ClaimRequest, Interrupted, RecordKey, Store, StoreId, StoreResult,
    Takeover, Token, TxStore, WriteOutcome,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Executor, Row};

use self::statements::STATEMENTS;
use crate::held::Held;
use crate::sql::{
    Found, ROUNDS, acquired, code, contended, count, fence, is_busy, key, lock, millis,
    no_transaction, owner, repeated, sql_store, sql_transactions, trouble, written,
};
use crate::sqlx::sqlite_code;

/// The table and its index, for those who make their tables themselves.
pub const SCHEMA: &str = include_str!("schema.sql");

const CAPS: Capabilities = Capabilities::new().durable(true).max_outcome(512 * 1024 * 1024);

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether another process has the file: any kind of `SQLITE_BUSY`.
fn is_in_use(error: &sqlx::Error) -> bool {
    code(error).and_then(|code| sqlite_code(&code)) == Some(5)
}

/// Idempotency records in an SQLite database: for one machine, whose records must survive a restart.
///
/// Several processes of the machine may share the file; network file systems do not lock it well enough. A
/// handle, to be cloned.
///
/// ```no_run
/// # extern crate resilience_stores as stores;
/// # async fn open() -> Result<(), sqlx::Error> {
/// let store = stores::SqliteStore::open("payments.db").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    id: StoreId,
}

impl SqliteStore {
    /// Opens a database, and makes it and its table where they are missing.
    ///
    /// What is said to be stored is on the disk (`synchronous = FULL`), readers do not stop the writer (WAL),
    /// and a writer waits up to five seconds for another process.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        let begin = Instant::now();
        // One writes at a time in any case; in line here they wait for each other without polling.
        let pool = || SqlitePoolOptions::new().max_connections(1).connect_with(options.clone());
        let pool = loop {
            match pool().await {
                // Whoever makes the log at the same time is not waited for by SQLite itself.
                Err(error) if is_in_use(&error) && begin.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => break opened?,
            }
        };
        let store = Self::new(pool);
        store.migrate().await?;
        Ok(store)
    }

    /// The records in a database that is open already. With a `synchronous` below `FULL`, the outcomes of the
    /// last moments before a power cut may be lost.
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool, id: StoreId::new() }
    }

    /// Makes the table where it is missing.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        self.pool.execute(SCHEMA).await.map(drop)
    }

    /// The connections, for the rest of the application.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }
}

sql_store!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection, STATEMENTS);
sql_transactions!(SqliteStore, sqlx::Sqlite, sqlx::SqliteConnection, STATEMENTS);
