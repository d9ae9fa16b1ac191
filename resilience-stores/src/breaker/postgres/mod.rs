//! Shared breaker states in PostgreSQL: one row per breaker name.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor, Row};

use super::shared_state::{EntryId, RemoteState, SharedEntry, SharedState};
use crate::db_time::whole_millis;

/// The definition of the table, for applications with their own migrations.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Uses `clock_timestamp()`, because `now()` is the start of the transaction and ignores the wait
/// for a row lock.
const OPEN: &str = "INSERT INTO resilience_circuit_breakers (name, entry_id, open_until, expires_at) \
                    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms', \
                    clock_timestamp() + ($3 + $4) * interval '1 ms') \
                    ON CONFLICT (name) DO UPDATE SET entry_id = EXCLUDED.entry_id, \
                    open_until = clock_timestamp() + $3 * interval '1 ms', \
                    expires_at = clock_timestamp() + ($3 + $4) * interval '1 ms'";

const CLOSE: &str = "UPDATE resilience_circuit_breakers SET entry_id = $3, open_until = NULL, \
                     expires_at = clock_timestamp() + $4 * interval '1 ms' \
                     WHERE name = $1 AND entry_id = $2 AND open_until IS NOT NULL \
                     AND expires_at > clock_timestamp()";

const READ: &str = "SELECT name, entry_id, open_until IS NULL, \
                    coalesce(greatest(0, extract(epoch FROM open_until - clock_timestamp()) * 1000), 0)::bigint, \
                    expires_at <= clock_timestamp() \
                    FROM resilience_circuit_breakers WHERE name = ANY($1)";

const PURGE: &str = "DELETE FROM resilience_circuit_breakers WHERE name IN \
                     (SELECT name FROM resilience_circuit_breakers \
                     WHERE expires_at <= clock_timestamp() FOR UPDATE SKIP LOCKED)";

/// Shared breaker states in PostgreSQL.
///
/// The database has to be the primary. `PostgresState` connects at the first call and reconnects
/// after any failure. The connection belongs to no pool: an exhausted pool, likely when a breaker
/// opens, delays no synchronization, and a missing answer blocks no pooled connection. Each step
/// is a single statement, so `PgBouncer` 1.21 or later works, also in transaction mode. Each
/// process deletes the expired rows that a read finds.
///
/// ```no_run
/// # async fn start() -> Result<(), sqlx::Error> {
/// use resilience::stores::breaker::{BreakerSync, PostgresState};
///
/// let state = PostgresState::new("postgres://app@db/app".parse()?);
/// state.migrate().await?;
/// tokio::spawn(BreakerSync::new(state).run());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PostgresState {
    options: PgConnectOptions,
    /// Taken during a call. After a failed or dropped call the connection is not reused.
    connection: Option<PgConnection>,
}

impl PostgresState {
    /// Creates a shared state in the database of the options. The options of a pool are
    /// `(*pool.connect_options()).clone()`.
    #[must_use]
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Creates the table in the first schema of the search path, if the table does not exist.
    ///
    /// # Errors
    /// Returns the `sqlx::Error` of a failed connection attempt or statement.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.options.connect().await?;
        // The advisory lock serializes concurrent migrations, which PostgreSQL would fail.
        let mut transaction = connection.begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(7243615890212)").await?;
        transaction.execute(SCHEMA).await?;
        transaction.commit().await?;
        connection.close().await
    }

    async fn connection(&mut self) -> Result<PgConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.options.connect().await,
        }
    }
}

impl SharedState for PostgresState {
    type Error = sqlx::Error;

    async fn open(&mut self, name: &str, id: EntryId, left: Duration) -> Result<(), sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(OPEN).bind(name).bind(bits(id)).bind(whole_millis(left));
        query.bind(whole_millis(Self::RETENTION)).execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(())
    }

    async fn close(
        &mut self,
        name: &str,
        opening: EntryId,
        id: EntryId,
    ) -> Result<bool, sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(CLOSE).bind(name).bind(bits(opening)).bind(bits(id));
        let done = query.bind(whole_millis(Self::RETENTION)).execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(done.rows_affected() > 0)
    }

    async fn read(&mut self, names: &[&str]) -> Result<Vec<Option<SharedEntry>>, sqlx::Error> {
        let mut connection = self.connection().await?;
        let rows = sqlx::query(READ).bind(names).fetch_all(&mut connection).await?;
        let mut found = vec![None; names.len()];
        let mut has_expired = false;
        for row in rows {
            let name: &str = row.try_get(0)?;
            let id: i64 = row.try_get(1)?;
            let left: i64 = row.try_get(3)?;
            if row.try_get(4)? {
                has_expired = true;
                continue;
            }
            let left = Duration::from_millis(left.unsigned_abs());
            let state = if row.try_get(2)? { RemoteState::Closed } else { RemoteState::Open(left) };
            let entry = SharedEntry { id: EntryId(id.cast_unsigned()), state };
            for (slot, _) in found.iter_mut().zip(names).filter(|(_, other)| **other == name) {
                *slot = Some(entry);
            }
        }
        if has_expired {
            sqlx::query(PURGE).execute(&mut connection).await?;
        }
        self.connection = Some(connection);
        Ok(found)
    }
}

fn bits(id: EntryId) -> i64 {
    id.0.cast_signed()
}
