//! The SQL statements for PostgreSQL.
//!
//! The statements use `clock_timestamp()`, because `now()` is the start of the transaction and
//! ignores the wait for a lock.

use std::time::Duration;

use crate::records::sql::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    grace: Some(Duration::from_secs(5)),
    claim: "INSERT INTO resilience_idempotency AS t \
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
            RETURNING fence, attempts",
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
    purge: "DELETE FROM resilience_idempotency WHERE k IN (SELECT k FROM resilience_idempotency \
            WHERE expires_at <= clock_timestamp() LIMIT $1 FOR UPDATE SKIP LOCKED)",
    forget: "DELETE FROM resilience_idempotency WHERE k = $1",
    interrupted: "SELECT k, label, attempts FROM resilience_idempotency WHERE state = 1 \
                  AND lease_until <= clock_timestamp() AND expires_at > clock_timestamp() \
                  ORDER BY lease_until LIMIT $1",
};
