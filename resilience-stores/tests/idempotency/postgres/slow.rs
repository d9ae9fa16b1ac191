//! A server or a pool without capacity.

use std::time::{Duration, Instant};

use resilience::idempotent::StoreErrorKind;
use resilience::stores::PostgresStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};

use super::{open, open_with};
use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::{Payments, rejection_kind};
use crate::servers::Postgres;

#[tokio::test]
async fn a_slow_statement() {
    let Some(server) = Postgres::shared() else { return };
    let options: PgConnectOptions = server.url().parse().unwrap();
    let store = open_with(options.options([("statement_timeout", "50ms")]), 2).await;
    let spec = ClaimSpec::new();
    let mut holder = PgConnection::connect(&server.url()).await.unwrap();
    // An expired record, so that a claim has to write, and locked by another transaction.
    spec.complete(&store, b"done", Duration::ZERO).await;
    let mut holder = holder.begin().await.unwrap();
    let lock = "SELECT 1 FROM resilience_idempotency WHERE k = $1 FOR UPDATE";
    holder.execute(sqlx::query(lock).bind(&spec.key.0[..])).await.unwrap();
    let error = spec.other().claim(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(format!("{error:?}").contains("57014"), "{error:?}");
    // Other keys are not delayed.
    ClaimSpec::new().complete(&store, b"done", DAY).await;
    holder.rollback().await.unwrap();
    assert_eq!(spec.other().acquire(&store).await.1, 1);
}

#[tokio::test]
async fn a_pool_without_a_connection() {
    let Some(server) = Postgres::shared() else { return };
    let folder = Folder::new();
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(50));
    let store = PostgresStore::with_own_pool(pool.connect(&server.url()).await.unwrap());
    store.migrate().await.unwrap();
    let payments = Payments::new(store.clone(), folder.journal());
    let connection = store.pool().acquire().await.unwrap();
    let error = ClaimSpec::new().claim(&store).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(format!("{error:?}").contains("PoolTimedOut"), "{error:?}");
    assert_eq!(
        rejection_kind(payments.short_timeout("pool", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert_eq!(payments.lines().len(), 0);
    drop(connection);
    payments.long_lease("pool", 5).await.unwrap();
}

/// The pool would wait longer than the call.
#[tokio::test]
async fn a_pool_with_a_longer_timeout() {
    let Some(server) = Postgres::shared() else { return };
    let folder = Folder::new();
    let store = open(&server.url(), 1).await;
    let payments = Payments::new(store.clone(), folder.journal());
    let _held = store.pool().acquire().await.unwrap();
    let start = Instant::now();
    assert_eq!(
        rejection_kind(payments.short_timeout("pool-2", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    // Three attempts of 100 ms, and not the 30 s of the pool.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}
