//! Steps aborted by the server because of concurrent transactions.

use resilience::idempotent::{Claim, Store, StoreErrorKind};
use resilience::stores::PostgresStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};

use super::{open, open_with};
use crate::claims::ClaimSpec;
use crate::failing_statements;
use crate::folder::Folder;
use crate::payments::{Payments, rejection_kind};
use crate::servers::Postgres;

/// Creates a separate database on the shared server.
async fn database(server: &Postgres, name: &'static str) -> PgConnectOptions {
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(create).execute(&mut connection).await.unwrap();
    server.url().parse::<PgConnectOptions>().unwrap().database(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_race_in_serializable_transactions() {
    let Some(server) = Postgres::shared() else { return };
    let options = database(server, "serializable").await;
    let store =
        open_with(options.options([("default_transaction_isolation", "serializable")]), 8).await;
    for _ in 0..20 {
        let spec = ClaimSpec::new();
        let racers: Vec<_> = (0..16)
            .map(|_| {
                let (store, spec) = (store.clone(), spec.other());
                tokio::spawn(async move { spec.claim(&store).await.unwrap() })
            })
            .collect();
        let mut acquired = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Claim::Acquired { .. } => acquired += 1,
                Claim::InFlight { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(acquired, 1);
    }
}

async fn fail(store: &PostgresStore, state: &str, times: u32) {
    failing_statements::fail(store.pool(), "resilience_idempotency", state, times).await;
}

#[tokio::test]
async fn a_rolled_back_step_is_repeated() {
    let Some(server) = Postgres::shared() else { return };
    let store = open_with(database(server, "taken_back").await, 2).await;
    let folder = Folder::new();
    let payments = Payments::new(store.clone(), folder.journal());
    // A database of its own, because a rejected call gives its claim back in the background.
    let failing = open_with(database(server, "always_taken_back").await, 2).await;
    let rejected = Payments::new(failing.clone(), folder.journal());
    for state in ["40001", "40P01"] {
        fail(&store, state, 5).await;
        let spec = ClaimSpec::new();
        assert_eq!(spec.acquire(&store).await.1, 1);
        fail(&store, state, 5).await;
        assert!(store.forget(&spec.key).await.unwrap());
        let expired = ClaimSpec::new();
        expired.acquire(&store).await;
        store.pool().execute("UPDATE resilience_idempotency SET expires_at = now()").await.unwrap();
        fail(&store, state, 5).await;
        assert_eq!(store.purge(10).await.unwrap(), 1);
        fail(&failing, state, 1_000_000).await;
        let spec = ClaimSpec::new();
        assert_eq!(spec.claim(&failing).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(
            rejection_kind(rejected.rerun("r-1", 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
        );
    }
    // The call repeats the errors that are transient.
    for (state, kind) in [
        ("57P01", StoreErrorKind::Unavailable),
        ("57014", StoreErrorKind::Unavailable),
        ("53100", StoreErrorKind::Full),
        ("XX001", StoreErrorKind::Corrupt),
    ] {
        fail(&store, state, 1).await;
        assert_eq!(ClaimSpec::new().claim(&store).await.unwrap_err().kind(), kind, "{state}");
        fail(&store, state, 1).await;
        let paid = payments.rerun(state, 5).await;
        assert_eq!(paid.is_ok(), kind == StoreErrorKind::Unavailable, "{paid:?} after {state}");
    }
    assert_eq!(payments.lines().len(), 2);
}

/// The backend of a claim that waits for a lock is terminated; the call claims again, as the same
/// owner.
#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_backend() {
    let Some(server) = Postgres::shared() else { return };
    let options = database(server, "terminated").await;
    let store = open_with(options.clone(), 2).await;
    let folder = Folder::new();
    let payments = Payments::new(store.clone(), folder.journal());
    // A record with an expired lease, locked by another transaction.
    payments.unknown("r-1", 5).await.unwrap();
    let released = "UPDATE resilience_idempotency SET state = 3, outcome = NULL";
    store.pool().execute(released).await.unwrap();
    let mut holder = PgConnection::connect_with(&options).await.unwrap();
    let mut holder = holder.begin().await.unwrap();
    holder.execute("SELECT 1 FROM resilience_idempotency FOR UPDATE").await.unwrap();
    let calls = payments.clone();
    let call = tokio::spawn(async move { calls.long_lease("r-1", 5).await });
    let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                     WHERE datname = 'terminated' AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(terminate).fetch_one(&mut *holder).await.unwrap() == 0 {}
    holder.commit().await.unwrap();
    let paid = call.await.unwrap().unwrap();
    assert!(paid.ends_with(" 2"), "the second attempt, and not the third: {paid}");
    assert_eq!(payments.lines().len(), 2);
}

#[tokio::test]
async fn a_read_only_server() {
    let Some(server) = Postgres::shared() else { return };
    let folder = Folder::new();
    let writer = Payments::new(open(&server.url(), 1).await, folder.journal());
    writer.rerun("read-only", 5).await.unwrap();
    let options: PgConnectOptions = server.url().parse().unwrap();
    let pool =
        sqlx::PgPool::connect_with(options.options([("default_transaction_read_only", "on")]));
    let store = PostgresStore::new(pool.await.unwrap());
    assert_eq!(
        ClaimSpec::new().claim(&store).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    // Replays fail as well: only the primary knows the latest state.
    let reader = Payments::new(store, folder.journal());
    for request in ["read-only", "read-only-2"] {
        assert_eq!(
            rejection_kind(reader.rerun(request, 5).await),
            RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
        );
    }
    assert_eq!(writer.lines().len(), 1);
}
