//! Leases in PostgreSQL: a row per rate.

use sqlx::Row;
use sqlx::postgres::PgConnectOptions;

use super::lease_store::{Lease, LeaseRequest, LeaseStore, Share};
use crate::db_time::whole_millis;
use crate::own_connection::PostgresConnection;

/// The definition of the table, for applications with their own migrations.
pub const SCHEMA: &str = include_str!("schema.sql");

/// `ON CONFLICT DO UPDATE` locks the row and reads its latest version, so concurrent exchanges
/// follow one another. The subselect keeps the leases of the other members that last, and puts the
/// lease of this member first. A lease that starts in the future comes from a clock that went
/// back. Uses `clock_timestamp()`, because `now()` is a time before the lock.
const LEASE: &str = "INSERT INTO resilience_rate_limit_leases AS own \
                     (name, members, shares, demands, starts_at, ends_at) \
                     VALUES ($1, ARRAY[$2::bigint], ARRAY[least($4::bigint, $6)], ARRAY[$3::bigint], \
                     ARRAY[clock_timestamp()], ARRAY[clock_timestamp() + $5 * interval '1 ms']) \
                     ON CONFLICT (name) DO UPDATE SET \
                     (members, shares, demands, starts_at, ends_at) = (\
                     SELECT ARRAY[$2] || coalesce(array_agg(l.member), '{}'), \
                     ARRAY[greatest(0, least($4, $6 - coalesce(sum(l.share), 0)))::bigint] \
                     || coalesce(array_agg(l.share), '{}'), \
                     ARRAY[$3] || coalesce(array_agg(l.demand), '{}'), \
                     ARRAY[clock_timestamp()] || coalesce(array_agg(l.starts_at), '{}'), \
                     ARRAY[clock_timestamp() + $5 * interval '1 ms'] \
                     || coalesce(array_agg(l.ends_at), '{}') \
                     FROM unnest(own.members, own.shares, own.demands, own.starts_at, own.ends_at) \
                     AS l (member, share, demand, starts_at, ends_at) \
                     WHERE l.member <> $2 AND l.starts_at <= clock_timestamp() \
                     AND l.ends_at > clock_timestamp()) \
                     RETURNING shares[1], demands[2:]";

/// Leases in PostgreSQL.
///
/// The database has to be the primary. `PostgresLeases` connects at the first call and reconnects
/// after any failure. The connection belongs to no pool, so an exhausted pool delays no exchange.
/// Each exchange is a single statement, so `PgBouncer` 1.21 or later works, also in transaction
/// mode.
///
/// ```no_run
/// # async fn start() -> Result<(), sqlx::Error> {
/// use resilience::stores::rate_limit::{PostgresLeases, RateLimitSync};
///
/// let leases = PostgresLeases::new("postgres://app@db/app".parse()?);
/// leases.migrate().await?;
/// tokio::spawn(RateLimitSync::new(leases).run());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PostgresLeases {
    connection: PostgresConnection,
}

impl PostgresLeases {
    /// Creates a store in the database of the options. The options of a pool are
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

impl LeaseStore for PostgresLeases {
    type Error = sqlx::Error;

    async fn lease(&mut self, name: &str, request: LeaseRequest) -> Result<Lease, sqlx::Error> {
        let LeaseRequest { member, demand, wanted, length } = request;
        let query = || {
            let query =
                sqlx::query(LEASE).bind(name).bind(i64::from_ne_bytes(member.0.to_ne_bytes()));
            let query =
                query.bind(i64::from(demand.billionths())).bind(i64::from(wanted.billionths()));
            query.bind(whole_millis(length).max(1)).bind(i64::from(Share::WHOLE.billionths()))
        };
        let rows = self.connection.fetch(query).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let (granted, others): (i64, Vec<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Lease { granted: share(granted), others: others.into_iter().map(share).collect() })
    }
}

fn share(billionths: i64) -> Share {
    Share::from_billionths(u32::try_from(billionths.max(0)).unwrap_or(u32::MAX))
}
