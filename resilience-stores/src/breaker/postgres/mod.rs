//! Shared breaker states in PostgreSQL: one row per breaker name and process.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::PgConnectOptions;

use super::shared_state::{ProcessId, SharedState, Vote, VoteId, VoteState, Votes};
use crate::db_time::whole_millis;
use crate::own_connection::PostgresConnection;

/// The definition of the table, for applications with their own migrations.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Uses `clock_timestamp()`, because `now()` is the start of a transaction.
const VOTE: &str = "INSERT INTO resilience_circuit_breaker_votes \
                    (name, process, seen_at, vote_id, voted_at, open_until, expires_at) \
                    VALUES ($1, $2, clock_timestamp(), $3, clock_timestamp(), \
                    clock_timestamp() + $4 * interval '1 ms', \
                    clock_timestamp() + (coalesce($4, 0) + $5) * interval '1 ms') \
                    ON CONFLICT (name, process) DO UPDATE SET seen_at = EXCLUDED.seen_at, \
                    vote_id = EXCLUDED.vote_id, voted_at = EXCLUDED.voted_at, \
                    open_until = EXCLUDED.open_until, expires_at = EXCLUDED.expires_at";

/// Writes the time of the read every sixth part of the membership time only. Returns one row per
/// name: the other members, whether a row is expired, and the votes as arrays. The remaining time
/// is at most the announced time, in case the clock of the server went back; it is -1 for a close.
const READ: &str = "WITH seen AS (INSERT INTO resilience_circuit_breaker_votes AS own \
                    (name, process, seen_at) \
                    SELECT DISTINCT name, $2, clock_timestamp() FROM unnest($1::text[]) AS name \
                    ON CONFLICT (name, process) DO UPDATE SET seen_at = EXCLUDED.seen_at \
                    WHERE own.seen_at NOT BETWEEN EXCLUDED.seen_at - $3 * interval '1 ms' / 6 \
                    AND EXCLUDED.seen_at), \
                    votes AS (SELECT name, process, vote_id, \
                    CASE WHEN open_until IS NULL THEN -1 ELSE greatest(0, extract(epoch FROM \
                    open_until - greatest(voted_at, clock_timestamp())) * 1000)::bigint END AS left_ms, \
                    clock_timestamp() BETWEEN seen_at AND seen_at + $3 * interval '1 ms' AS is_member, \
                    vote_id IS NOT NULL AND expires_at > clock_timestamp() AS has_vote \
                    FROM resilience_circuit_breaker_votes WHERE name = ANY($1)) \
                    SELECT name, count(*) FILTER (WHERE is_member AND process <> $2), \
                    bool_or(NOT is_member AND NOT has_vote AND process <> $2), \
                    coalesce(array_agg(process) FILTER (WHERE has_vote), '{}'), \
                    coalesce(array_agg(vote_id) FILTER (WHERE has_vote), '{}'), \
                    coalesce(array_agg(left_ms) FILTER (WHERE has_vote), '{}') \
                    FROM votes GROUP BY name";

const PURGE: &str = "DELETE FROM resilience_circuit_breaker_votes WHERE (name, process) IN \
                     (SELECT name, process FROM resilience_circuit_breaker_votes \
                     WHERE clock_timestamp() NOT BETWEEN seen_at AND seen_at + $1 * interval '1 ms' \
                     AND (expires_at IS NULL OR expires_at <= clock_timestamp()) \
                     FOR UPDATE SKIP LOCKED)";

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
    connection: PostgresConnection,
}

impl PostgresState {
    /// Creates a shared state in the database of the options. The options of a pool are
    /// `(*pool.connect_options()).clone()`.
    #[must_use]
    pub fn new(options: PgConnectOptions) -> Self {
        Self { connection: PostgresConnection::new(options) }
    }

    /// Creates the table in the first schema of the search path, if the table does not exist.
    ///
    /// # Errors
    /// Returns the `sqlx::Error` of a failed connection attempt or statement.
    pub async fn migrate(&self) -> Result<(), sqlx::Error> {
        self.connection.migrate(SCHEMA).await
    }
}

impl SharedState for PostgresState {
    type Error = sqlx::Error;

    async fn vote(
        &mut self,
        name: &str,
        process: ProcessId,
        vote: Vote,
    ) -> Result<(), sqlx::Error> {
        let left = match vote.state {
            VoteState::Open(left) => Some(whole_millis(left)),
            VoteState::Closed => None,
        };
        let query = || {
            let query = sqlx::query(VOTE).bind(name).bind(bits(process.0)).bind(bits(vote.id.0));
            query.bind(left).bind(whole_millis(Self::RETENTION))
        };
        self.connection.fetch(query).await.map(drop)
    }

    async fn read(
        &mut self,
        process: ProcessId,
        names: &[&str],
    ) -> Result<Vec<Votes>, sqlx::Error> {
        let membership = whole_millis(Self::MEMBERSHIP);
        let query = || sqlx::query(READ).bind(names).bind(bits(process.0)).bind(membership);
        let rows = self.connection.fetch(query).await?;
        let mut found = vec![Votes { members: 1, votes: Vec::new() }; names.len()];
        let mut has_expired = false;
        for row in rows {
            let name: &str = row.try_get(0)?;
            let others: i64 = row.try_get(1)?;
            has_expired |= row.try_get::<bool, _>(2)?;
            let (processes, ids, lefts): (Vec<i64>, Vec<i64>, Vec<i64>) =
                (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
            let votes = processes.into_iter().zip(ids).zip(lefts).map(|((process, id), left)| {
                let state = u64::try_from(left)
                    .map_or(VoteState::Closed, |left| VoteState::Open(Duration::from_millis(left)));
                let id = VoteId(of_bits(id));
                (ProcessId(of_bits(process)), Vote { id, state })
            });
            let members = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
            let votes = Votes { members, votes: votes.collect() };
            for (slot, _) in found.iter_mut().zip(names).filter(|(_, other)| **other == name) {
                slot.clone_from(&votes);
            }
        }
        if has_expired {
            self.connection.fetch(|| sqlx::query(PURGE).bind(membership)).await?;
        }
        Ok(found)
    }
}

/// Returns the column for a number: PostgreSQL has signed integers only.
fn bits(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

fn of_bits(column: i64) -> u64 {
    u64::from_ne_bytes(column.to_ne_bytes())
}
