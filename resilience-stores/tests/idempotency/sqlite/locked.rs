//! A database locked by another connection.

use std::time::{Duration, Instant};

use resilience::idempotent::StoreErrorKind;
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::claims::{ClaimSpec, DAY, SHORT};
use crate::folder::Folder;
use crate::payments::{Payments, rejection_kind};

/// Returns a connection that blocks all other writers.
async fn lock(folder: &Folder) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute("BEGIN EXCLUSIVE").await.unwrap();
    connection
}

#[tokio::test]
async fn locked_longer_than_the_store_timeout() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store, folder.journal());
    let mut locked = lock(&folder).await;
    let start = Instant::now();
    assert_eq!(
        rejection_kind(payments.short_timeout("r-1", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    // 100 ms for each of three attempts, and not the 5 s for which the database waits.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(payments.lines().len(), 0);
    locked.execute("COMMIT").await.unwrap();
    // The abandoned claims may still be written later; the lease ends such a claim.
    payments.rerun("r-1", 5).await.unwrap();
    assert_eq!(payments.lines().len(), 1);
}

#[tokio::test]
async fn locked_shorter_than_the_busy_timeout() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store, folder.journal());
    let mut locked = lock(&folder).await;
    let unlock = async {
        tokio::time::sleep(SHORT).await;
        locked.execute("COMMIT").await.unwrap();
    };
    let (paid, ()) = tokio::join!(payments.rerun("r-1", 5), unlock);
    assert!(paid.unwrap().ends_with(" 1"));
    assert_eq!(payments.lines().len(), 1);
}

/// The pool has a shorter `busy_timeout`.
#[tokio::test]
async fn locked_longer_than_the_busy_timeout() {
    let folder = Folder::new();
    SqliteStore::open(folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let pool = SqlitePool::connect_with(options.busy_timeout(Duration::from_millis(20)));
    let store = SqliteStore::new(pool.await.unwrap());
    let _locked = lock(&folder).await;
    assert_eq!(
        ClaimSpec::new().claim(&store).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_writers() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let options = (*store.pool().connect_options()).clone().busy_timeout(Duration::from_secs(60));
    let pool = SqlitePoolOptions::new().min_connections(32).max_connections(32);
    let store = SqliteStore::with_own_pool(pool.connect_with(options).await.unwrap());
    let writers = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..4 {
                let spec = ClaimSpec::new();
                spec.complete(&store, b"done", DAY).await;
                spec.replays(&store, b"done").await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_opens() {
    for _ in 0..8 {
        let folder = Folder::new();
        let open = (0..8).map(|_| tokio::spawn(SqliteStore::open(folder.database())));
        for opened in open.collect::<Vec<_>>() {
            opened.await.unwrap().unwrap();
        }
    }
}
