//! Virtual time in the tests of a service with SQLite. `sqlx` executes statements on a thread of
//! its own. A paused clock of tokio does not wait for other threads, but advances to the next
//! timer.

use std::time::{Duration, Instant};

use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent, retry, testing};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Connection, Executor, SqliteConnection};

use crate::folder::Folder;
use crate::payments::rejection_kind;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[idempotent(key = order, scope = "global", store = store)]
#[retry(attempts = 3, backoff = "fixed", base_delay = "20s", on = |_| true)]
async fn pay(
    #[skip] pool: &SqlitePool,
    #[skip] store: &SqliteStore,
    order: &str,
) -> Result<i64, Error> {
    sqlx::query("INSERT INTO attempts VALUES (?)").bind(order).execute(pool).await?;
    let attempts: i64 = sqlx::query_scalar("SELECT count(*) FROM attempts").fetch_one(pool).await?;
    if attempts < 3 { Err("the bank is down".into()) } else { Ok(attempts) }
}

async fn open(folder: &Folder) -> (SqlitePool, SqliteStore) {
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let pool = SqlitePool::connect_with(options).await.unwrap();
    pool.execute("CREATE TABLE attempts (order_id TEXT)").await.unwrap();
    (pool, store)
}

#[tokio::test]
async fn waits_pass_at_once_under_a_virtual_clock() {
    let folder = Folder::new();
    let (pool, store) = open(&folder).await;
    let (clock, start) = (testing::clock(), Instant::now());
    assert_eq!(pay(&pool, &store, "o-1").await.unwrap(), 3);
    assert_eq!(clock.elapsed(), Duration::from_secs(40));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // A repeated call replays the outcome, until the record expires after a day.
    assert_eq!(pay(&pool, &store, "o-1").await.unwrap(), 3);
    clock.advance(Duration::from_hours(25));
    assert_eq!(pay(&pool, &store, "o-2").await.unwrap(), 4);
}

#[tokio::test]
async fn waits_pass_at_once_under_no_waits() {
    let folder = Folder::new();
    let (pool, store) = open(&folder).await;
    let _guard = testing::no_waits();
    assert_eq!(pay(&pool, &store, "o-1").await.unwrap(), 3);
}

/// The documented exception: the timeout of the store passes while the thread of `sqlx` waits.
#[tokio::test]
async fn a_paused_clock_passes_the_timeout_of_a_store_at_once() {
    #[idempotent(key = order, scope = "global", store = store, store_timeout = "1h")]
    async fn pay(#[skip] store: &SqliteStore, order: &str) -> Result<String, Rejected> {
        Ok(order.to_owned())
    }

    let folder = Folder::new();
    let (_pool, store) = open(&folder).await;
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    tokio::time::pause();
    let unavailable = RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable);
    assert_eq!(rejection_kind(pay(&store, "o-1").await), unavailable);
    tokio::time::resume();
    other.execute("COMMIT").await.unwrap();
}
