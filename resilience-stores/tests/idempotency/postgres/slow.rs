//! A server, or a pool, that has no time.

use std::time::{Duration, Instant};

use resilience::idempotent::StoreErrorKind;
use resilience::stores::PostgresStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};

use super::{open, open_with};
use crate::claims::{Ask, DAY, SHORT};
use crate::folder::Folder;
use crate::payments::{Payments, why};
use crate::servers::Postgres;

#[tokio::test]
async fn a_statement_that_takes_too_long() {
    let Some(server) = Postgres::shared() else { return };
    let options: PgConnectOptions = server.url().parse().unwrap();
    let store = open_with(options.options([("statement_timeout", "50ms")]), 2).await;
    let ask = Ask::new();
    let mut holder = PgConnection::connect(&server.url()).await.unwrap();
    // Expired, so that a claim has to write, and held by somebody.
    ask.done(&store, b"done", Duration::ZERO).await;
    let mut holder = holder.begin().await.unwrap();
    let lock = "SELECT 1 FROM resilience_idempotency WHERE k = $1 FOR UPDATE";
    holder.execute(sqlx::query(lock).bind(&ask.key.0[..])).await.unwrap();
    let error = ask.other().of(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(format!("{error:?}").contains("57014"), "{error:?}");
    // Others are not held up.
    Ask::new().done(&store, b"done", DAY).await;
    holder.rollback().await.unwrap();
    assert_eq!(ask.other().acquire(&store).await.1, 1);
}

#[tokio::test]
async fn a_pool_without_a_connection() {
    let Some(server) = Postgres::shared() else { return };
    let folder = Folder::new();
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(50));
    let store = PostgresStore::new(pool.connect(&server.url()).await.unwrap());
    store.migrate().await.unwrap();
    let payments = Payments::new(store.clone(), folder.journal());
    let held = store.pool().acquire().await.unwrap();
    let error = Ask::new().of(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(format!("{error:?}").contains("PoolTimedOut"), "{error:?}");
    let start = Instant::now();
    assert_eq!(
        why(payments.in_time("pool", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert!(start.elapsed() < 2 * SHORT, "{:?}", start.elapsed());
    assert_eq!(payments.lines().len(), 0);
    drop(held);
    payments.in_time("pool", 5).await.unwrap();
}

/// The same where the pool would wait for longer than the call.
#[tokio::test]
async fn a_pool_that_waits_for_longer() {
    let Some(server) = Postgres::shared() else { return };
    let folder = Folder::new();
    let store = open(&server.url(), 1).await;
    let payments = Payments::new(store.clone(), folder.journal());
    let _held = store.pool().acquire().await.unwrap();
    let start = Instant::now();
    assert_eq!(
        why(payments.in_time("pool-2", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert!(start.elapsed() < 2 * LIMIT, "{:?}", start.elapsed());
}

/// Three tries of a tenth of a second.
const LIMIT: Duration = Duration::from_millis(300);
