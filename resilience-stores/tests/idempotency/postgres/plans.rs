//! The plans of the maintenance: a purge and a list read an index, whatever the number of records.

use std::time::{Duration, Instant};

use resilience::idempotent::Store;
use resilience::stores::PostgresStore;
use sqlx::{AssertSqlSafe, Executor};

use super::open;
use crate::servers::Postgres;

/// The number of records. `docs/performance.md` was measured with a million.
fn records() -> u32 {
    let configured = std::env::var("RESILIENCE_RECORDS").ok().and_then(|rows| rows.parse().ok());
    configured.unwrap_or(20_000)
}

/// Fills the table: 1 % expired, 1 % interrupted, and completed records.
async fn filled(server: &Postgres) -> PostgresStore {
    let store = open(&server.url(), 1).await;
    let fill = format!(
        "INSERT INTO resilience_idempotency \
         SELECT sha256(int4send(n)), CASE WHEN n % 100 = 1 THEN 1 ELSE 2 END, n, '\\x01', '\\x02', \
         clock_timestamp() - interval '1 s', \
         clock_timestamp() + CASE WHEN n % 100 = 0 THEN -1 ELSE 1 END * interval '1 day', \
         1, '\\x03', 'test' FROM generate_series(1, {}) n",
        records()
    );
    store.pool().execute(AssertSqlSafe(fill)).await.unwrap();
    store.pool().execute("ANALYZE resilience_idempotency").await.unwrap();
    store
}

/// Returns the plan of the prepared statement that begins with `start`.
async fn plan(store: &PostgresStore, start: &str) -> String {
    let mut connection = store.pool().acquire().await.unwrap();
    let find = "SELECT name FROM pg_prepared_statements WHERE statement LIKE $1 || '%'";
    let name: String =
        sqlx::query_scalar(find).bind(start).fetch_one(&mut *connection).await.unwrap();
    let explain = format!("EXPLAIN EXECUTE {name}(1000)");
    let lines: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn a_purge_and_a_list_use_their_indexes() {
    let Some(server) = Postgres::start(&[]) else { return };
    let store = filled(&server).await;
    let hundredth = usize::try_from(records() / 100).unwrap();
    let begin = Instant::now();
    assert_eq!(store.interrupted(100).await.unwrap().len(), 100);
    let listed = begin.elapsed();
    let mut longest = Duration::ZERO;
    let mut purged = 0;
    while purged < hundredth {
        let begin = Instant::now();
        purged += store.purge(100).await.unwrap();
        longest = longest.max(begin.elapsed());
    }
    assert_eq!(purged, hundredth);
    let begin = Instant::now();
    assert_eq!(store.purge(100).await.unwrap(), 0);
    let empty = begin.elapsed();
    eprintln!("{} records: list {listed:?}, purge {longest:?}, empty purge {empty:?}", records());
    // A prepared statement gets a plan for any limit after some executions.
    for mode in ["force_generic_plan", "force_custom_plan"] {
        let set = format!("SET plan_cache_mode = {mode}");
        store.pool().execute(AssertSqlSafe(set)).await.unwrap();
        let purge = plan(&store, "DELETE FROM resilience_idempotency WHERE k = ANY").await;
        let list = plan(&store, "SELECT k, label, attempts").await;
        for (plan, index) in [
            (&purge, "resilience_idempotency_expires_at"),
            (&purge, "resilience_idempotency_pkey"),
            (&list, "resilience_idempotency_in_flight"),
        ] {
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{mode}: {plan}");
            assert!(!plan.contains("Sort"), "{mode}: {plan}");
        }
    }
}
