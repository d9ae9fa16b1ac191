//! A board in PostgreSQL: a row for each name.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor, Row};

use super::board::{EntryId, RemoteState, SharedEntry, SharedState};
use crate::millis::whole_millis;

/// The table, for those who make their tables themselves.
pub const SCHEMA: &str = include_str!("schema.sql");

/// `clock_timestamp()` and not `now()`: whoever has waited for a row would count from before.
const OPEN: &str = "INSERT INTO resilience_circuit_breakers (name, tag, open_until, expires_at) \
                    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms', \
                    clock_timestamp() + ($3 + $4) * interval '1 ms') \
                    ON CONFLICT (name) DO UPDATE SET tag = EXCLUDED.tag, \
                    open_until = clock_timestamp() + $3 * interval '1 ms', \
                    expires_at = clock_timestamp() + ($3 + $4) * interval '1 ms'";

const CLOSE: &str = "UPDATE resilience_circuit_breakers SET tag = $3, open_until = NULL, \
                     expires_at = clock_timestamp() + $4 * interval '1 ms' \
                     WHERE name = $1 AND tag = $2 AND open_until IS NOT NULL \
                     AND expires_at > clock_timestamp()";

const READ: &str = "SELECT name, tag, open_until IS NULL, \
                    coalesce(greatest(0, extract(epoch FROM open_until - clock_timestamp()) * 1000), 0)::bigint, \
                    expires_at <= clock_timestamp() \
                    FROM resilience_circuit_breakers WHERE name = ANY($1)";

const PURGE: &str = "DELETE FROM resilience_circuit_breakers WHERE name IN \
                     (SELECT name FROM resilience_circuit_breakers \
                     WHERE expires_at <= clock_timestamp() FOR UPDATE SKIP LOCKED)";

/// A board in a PostgreSQL database, which has to be the primary.
///
/// It has one connection of its own, made when it is first asked and again after any failure: a pool that
/// is used up, as it may be when a breaker is about to open, is not waited for, and an answer that never
/// comes holds no connection of a pool. Each step is a statement of its own, so that `PgBouncer` from 1.21 on
/// will do, in its transaction mode as well. What has expired is deleted by whoever meets it.
///
/// ```no_run
/// # extern crate resilience_stores as stores;
/// # async fn start() -> Result<(), sqlx::Error> {
/// use stores::breaker::{BreakerSync, PostgresState};
///
/// let board = PostgresState::new("postgres://app@db/app".parse()?);
/// board.migrate().await?;
/// tokio::spawn(BreakerSync::new(board).run());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PostgresState {
    options: PgConnectOptions,
    /// Taken out while it is used: one that has failed, or whose user was dropped, does not come back.
    connection: Option<PgConnection>,
}

impl PostgresState {
    /// A board in the database that these lead to. Those of a pool are
    /// `(*pool.connect_options()).clone()`.
    #[must_use]
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Makes the table where it is missing, in the first schema of the search path.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.options.connect().await?;
        // Two that make it at the same time would trip over each other.
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

    async fn open(&mut self, name: &str, tag: EntryId, left: Duration) -> Result<(), sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(OPEN).bind(name).bind(bits(tag)).bind(whole_millis(left));
        query.bind(whole_millis(Self::KEPT)).execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(())
    }

    async fn close(
        &mut self,
        name: &str,
        opening: EntryId,
        tag: EntryId,
    ) -> Result<bool, sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(CLOSE).bind(name).bind(bits(opening)).bind(bits(tag));
        let done = query.bind(whole_millis(Self::KEPT)).execute(&mut connection).await?;
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
            let tag: i64 = row.try_get(1)?;
            let left: i64 = row.try_get(3)?;
            if row.try_get(4)? {
                has_expired = true;
                continue;
            }
            let left = Duration::from_millis(left.unsigned_abs());
            let stand = if row.try_get(2)? { RemoteState::Closed } else { RemoteState::Open(left) };
            let entry = SharedEntry { tag: EntryId(tag.cast_unsigned()), stand };
            for (place, _) in found.iter_mut().zip(names).filter(|(_, other)| **other == name) {
                *place = Some(entry);
            }
        }
        if has_expired {
            sqlx::query(PURGE).execute(&mut connection).await?;
        }
        self.connection = Some(connection);
        Ok(found)
    }
}

fn bits(tag: EntryId) -> i64 {
    tag.0.cast_signed()
}
