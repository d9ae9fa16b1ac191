//! The SQL statements for PostgreSQL.
//!
//! The steps of a call use `clock_timestamp()`, because `now()` is the start of the transaction and
//! ignores the wait for a lock. The maintenance uses `statement_timestamp()`: an index cannot serve
//! a comparison with the volatile `clock_timestamp()`.

use std::time::Duration;

use crate::records::sql::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    grace: Some(Duration::from_secs(5)),
    // The second part reads the snapshot of the statement. Any record in the snapshot is a correct
    // answer: the claim happened before the changes that the snapshot misses.
    claim: "WITH claimed AS (INSERT INTO resilience_idempotency AS t \
            (k, state, fence, owner, fp, lease_until, expires_at, attempts, outcome, label) \
            VALUES ($1, 1, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint, $2, $3, \
            clock_timestamp() + $4 * interval '1 ms', \
            clock_timestamp() + greatest($4, $5) * interval '1 ms', 1, NULL, $7) \
            ON CONFLICT (k) DO UPDATE SET state = 1, owner = EXCLUDED.owner, fp = EXCLUDED.fp, \
            outcome = NULL, label = EXCLUDED.label, \
            fence = greatest(t.fence + 1, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint), \
            lease_until = clock_timestamp() + $4 * interval '1 ms', \
            expires_at = clock_timestamp() + greatest($4, $5) * interval '1 ms', \
            attempts = CASE WHEN t.expires_at <= clock_timestamp() THEN 1 ELSE t.attempts + 1 END \
            WHERE t.expires_at <= clock_timestamp() OR (t.fp = EXCLUDED.fp AND (t.state = 3 \
            OR (t.state = 1 AND t.lease_until <= clock_timestamp() \
            AND t.owner <> EXCLUDED.owner AND $6))) \
            RETURNING state, fence, owner, fp, outcome, attempts) \
            SELECT state, fence, owner, fp, outcome, attempts, 1::bigint, FALSE FROM claimed \
            UNION ALL SELECT state, fence, owner, fp, outcome, attempts, \
            ceil(extract(epoch FROM least(lease_until, clock_timestamp() + interval '100 years') \
            - clock_timestamp()) * 1000)::bigint, expires_at <= clock_timestamp() \
            FROM resilience_idempotency WHERE k = $1 AND NOT EXISTS (SELECT 1 FROM claimed)",
    claim_reads_record: true,
    select: "SELECT state, fence, owner, fp, outcome, attempts, \
           ceil(extract(epoch FROM least(lease_until, clock_timestamp() + interval '100 years') \
           - clock_timestamp()) * 1000)::bigint, \
           expires_at <= clock_timestamp() FROM resilience_idempotency WHERE k = $1",
    renew: "UPDATE resilience_idempotency SET lease_until = clock_timestamp() + $4 * interval '1 ms', \
            expires_at = greatest(expires_at, clock_timestamp() + $4 * interval '1 ms') \
            WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1",
    complete: "UPDATE resilience_idempotency SET state = 2, outcome = $4, \
               expires_at = clock_timestamp() + $5 * interval '1 ms' \
               WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1",
    is_complete: "SELECT 1 FROM resilience_idempotency \
                  WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 2",
    release: "UPDATE resilience_idempotency SET state = 3, lease_until = to_timestamp(0) \
              WHERE k = $1 AND owner = $2 AND fence = $3 AND state IN (1, 3)",
    abandon: "UPDATE resilience_idempotency SET lease_until = least(lease_until, clock_timestamp()) \
              WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1",
    begin_write: None,
    lock: "SELECT pg_try_advisory_xact_lock($1), (extract(epoch FROM clock_timestamp()) * 1e6)::bigint",
    upsert: "INSERT INTO resilience_idempotency AS t \
          (k, state, fence, owner, fp, lease_until, expires_at, attempts, outcome, label) \
          VALUES ($1, 2, (extract(epoch FROM clock_timestamp()) * 1e6)::bigint, $2, $3, \
          to_timestamp(0), clock_timestamp() + $5 * interval '1 ms', 1, $4, $6) \
          ON CONFLICT (k) DO UPDATE SET state = 2, owner = EXCLUDED.owner, fp = EXCLUDED.fp, \
          fence = greatest(t.fence + 1, EXCLUDED.fence), lease_until = EXCLUDED.lease_until, \
          outcome = EXCLUDED.outcome, expires_at = EXCLUDED.expires_at, label = EXCLUDED.label, \
          attempts = CASE WHEN t.expires_at <= clock_timestamp() THEN 1 ELSE t.attempts + 1 END \
          WHERE t.expires_at <= clock_timestamp() OR (t.fp = EXCLUDED.fp \
          AND (t.state = 3 OR (t.state = 1 AND t.lease_until <= clock_timestamp())))",
    // An array, because the planner takes arrays for short and finds the keys by the primary key.
    // The order makes the index on `expires_at` the cheapest plan, whatever the limit.
    purge: "DELETE FROM resilience_idempotency WHERE k = ANY (ARRAY( \
            SELECT k FROM resilience_idempotency WHERE expires_at <= statement_timestamp() \
            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))",
    forget: "DELETE FROM resilience_idempotency WHERE k = $1",
    interrupted: "SELECT k, label, attempts FROM resilience_idempotency WHERE state = 1 \
                  AND lease_until <= statement_timestamp() AND expires_at > statement_timestamp() \
                  ORDER BY lease_until LIMIT $1",
};
