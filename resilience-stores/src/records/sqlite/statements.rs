//! The SQL statements for SQLite.

use crate::records::sql::Statements;

/// Milliseconds since 1970, constant within a statement.
macro_rules! now {
    () => {
        "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    };
}

pub(super) const STATEMENTS: Statements = Statements {
    grace: None,
    claim: concat!(
        "INSERT INTO resilience_idempotency AS t ",
        "(k, state, fence, owner, fp, lease_until, expires_at, attempts, outcome, label, created_at) ",
        "VALUES ($1, 1, ",
        now!(),
        " * 1000, $2, $3, ",
        now!(),
        " + $4, ",
        now!(),
        " + max($4, $5), 1, NULL, $7, ",
        now!(),
        ") ON CONFLICT (k) DO UPDATE SET state = 1, owner = excluded.owner, fp = excluded.fp, ",
        "outcome = NULL, fence = max(t.fence + 1, excluded.fence), label = excluded.label, ",
        "lease_until = excluded.lease_until, expires_at = excluded.expires_at, ",
        "attempts = CASE WHEN t.expires_at <= ",
        now!(),
        " THEN 1 ELSE t.attempts + 1 END ",
        "WHERE t.expires_at <= ",
        now!(),
        " OR (t.fp = excluded.fp AND (t.state = 3 OR (t.state = 1 AND t.lease_until <= ",
        now!(),
        " AND t.owner <> excluded.owner AND $6))) ",
        "RETURNING state, fence, owner, fp, outcome, attempts, 1, FALSE"
    ),
    claim_reads_record: false,
    select: concat!(
        "SELECT state, fence, owner, fp, outcome, attempts, lease_until - ",
        now!(),
        ", expires_at <= ",
        now!(),
        " FROM resilience_idempotency WHERE k = $1"
    ),
    renew: concat!(
        "UPDATE resilience_idempotency SET lease_until = ",
        now!(),
        " + $4, expires_at = max(expires_at, ",
        now!(),
        " + $4) WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1"
    ),
    complete: concat!(
        "UPDATE resilience_idempotency SET state = 2, outcome = $4, expires_at = ",
        now!(),
        " + $5 WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1"
    ),
    is_complete: "SELECT 1 FROM resilience_idempotency \
                  WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 2",
    release: "UPDATE resilience_idempotency SET state = 3, lease_until = 0 \
              WHERE k = $1 AND owner = $2 AND fence = $3 AND state IN (1, 3)",
    abandon: concat!(
        "UPDATE resilience_idempotency SET lease_until = min(lease_until, ",
        now!(),
        ") WHERE k = $1 AND owner = $2 AND fence = $3 AND state = 1"
    ),
    // Changes no row, but makes the transaction a write transaction.
    begin_write: Some("UPDATE resilience_idempotency SET state = state WHERE 0"),
    lock: concat!("SELECT $1 = $1, ", now!(), " * 1000"),
    upsert: concat!(
        "INSERT INTO resilience_idempotency AS t ",
        "(k, state, fence, owner, fp, lease_until, expires_at, attempts, outcome, label, created_at) ",
        "VALUES ($1, 2, ",
        now!(),
        " * 1000, $2, $3, 0, ",
        now!(),
        " + $5, 1, $4, $6, ",
        now!(),
        ") ON CONFLICT (k) DO UPDATE SET state = 2, owner = excluded.owner, fp = excluded.fp, ",
        "fence = max(t.fence + 1, excluded.fence), lease_until = excluded.lease_until, ",
        "outcome = excluded.outcome, expires_at = excluded.expires_at, label = excluded.label, ",
        "attempts = CASE WHEN t.expires_at <= ",
        now!(),
        " THEN 1 ELSE t.attempts + 1 END WHERE t.expires_at <= ",
        now!(),
        " OR (t.fp = excluded.fp AND (t.state = 3 OR (t.state = 1 AND t.lease_until <= ",
        now!(),
        ")))"
    ),
    purge: concat!(
        "DELETE FROM resilience_idempotency WHERE k IN (SELECT k FROM resilience_idempotency ",
        "WHERE expires_at < ",
        now!(),
        " LIMIT $1)"
    ),
    // Expires the record instead of a delete: the fence of the next claim must be higher.
    forget: concat!(
        "UPDATE resilience_idempotency SET state = 3, owner = x'', outcome = NULL, label = '', ",
        "lease_until = 0, ",
        "expires_at = ",
        now!(),
        " WHERE k = $1 AND expires_at > ",
        now!()
    ),
    interrupted: concat!(
        "SELECT k, label, attempts FROM resilience_idempotency WHERE state = 1 AND lease_until <= ",
        now!(),
        " AND expires_at > ",
        now!(),
        " ORDER BY lease_until LIMIT $1"
    ),
};
