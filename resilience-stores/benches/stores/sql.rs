//! The same steps without a store: one hand-written query each.

use resilience::idempotent::RecordKey;
use sqlx::Row;

use crate::rounds::Side;

/// `$columns` are the types of a key, a time and a text. `$now` is the current time, and `$later`
/// is the current time plus a number of milliseconds.
macro_rules! by_hand {
    ($name:ident, $pool:ty, $binary:literal, $time:literal, $now:literal, $later:literal) => {
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $pool);

        impl $name {
            pub(crate) async fn make_table(&self) {
                let table = concat!(
                    "CREATE TABLE IF NOT EXISTS by_hand (k ", $binary, " NOT NULL PRIMARY KEY, ",
                    "state smallint NOT NULL, fence bigint NOT NULL, owner ", $binary, " NOT NULL, ",
                    "fp ", $binary, " NOT NULL, lease_until ", $time, " NOT NULL, ",
                    "expires_at ", $time, " NOT NULL, attempts integer NOT NULL, outcome ", $binary,
                    ", label text NOT NULL, created_at ", $time, " NOT NULL); ",
                    "CREATE INDEX IF NOT EXISTS by_hand_expires_at ON by_hand (expires_at)"
                );
                sqlx::raw_sql(table).execute(&self.0).await.unwrap();
            }

            async fn claimed(&self, key: &RecordKey) -> Option<i64> {
                let rows = sqlx::query(concat!(
                    "INSERT INTO by_hand AS t (k, state, fence, owner, fp, lease_until, expires_at, ",
                    "attempts, label, created_at) VALUES ($1, 1, 1, $2, $3, ", $later, "$4), ",
                    $later, "$5), 1, $7, ", $now, ") ON CONFLICT (k) DO UPDATE SET state = 1, ",
                    "owner = excluded.owner, fence = t.fence + 1, outcome = NULL, ",
                    "lease_until = excluded.lease_until, expires_at = excluded.expires_at, ",
                    "attempts = t.attempts + 1 WHERE t.expires_at <= ", $now,
                    " OR (t.fp = excluded.fp AND (t.state = 3 OR (t.state = 1 AND t.lease_until <= ",
                    $now, " AND $6))) RETURNING fence, attempts"
                ))
                .bind(&key.0[..])
                .bind(&[1_u8; 16][..])
                .bind(&key.0[..])
                .bind(30_000_i64)
                .bind(86_400_000_i64)
                .bind(true)
                .bind("bench")
                // Reads to the end: the first row arrives before the commit.
                .fetch_all(&self.0)
                .await
                .unwrap();
                rows.first().map(|row| row.get(0))
            }
        }

        impl Side for $name {
            async fn claim(&self, key: &RecordKey) -> u64 {
                self.claimed(key).await.unwrap().unsigned_abs()
            }

            async fn complete(&self, key: &RecordKey, fence: u64, outcome: &[u8]) {
                let done = sqlx::query(concat!(
                    "UPDATE by_hand SET state = 2, outcome = $4, expires_at = ", $later, "$5) ",
                    "WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1"
                ))
                .bind(&key.0[..])
                .bind(&[1_u8; 16][..])
                .bind(i64::try_from(fence).unwrap())
                .bind(outcome)
                .bind(86_400_000_i64)
                .execute(&self.0)
                .await
                .unwrap();
                assert_eq!(done.rows_affected(), 1);
            }

            async fn replay(&self, key: &RecordKey) -> usize {
                assert_eq!(self.claimed(key).await, None);
                let row = sqlx::query(concat!(
                    "SELECT state, fence, owner, fp, outcome, attempts, lease_until <= ", $now,
                    ", expires_at <= ", $now, " FROM by_hand WHERE k = $1"
                ))
                .bind(&key.0[..])
                .fetch_one(&self.0)
                .await
                .unwrap();
                row.get::<Vec<u8>, _>(4).len()
            }
        }
    };
}

by_hand!(
    HandPostgres,
    sqlx::PgPool,
    "bytea",
    "timestamptz",
    "clock_timestamp()",
    "(clock_timestamp() + interval '1 ms' * "
);
by_hand!(
    HandSqlite,
    sqlx::SqlitePool,
    "BLOB",
    "INTEGER",
    "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
    "(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + "
);
