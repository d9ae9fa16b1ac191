//! The clock of the machine.

use std::time::Duration;

use resilience::idempotent::{Claim, Store};
use resilience::stores::SqliteStore;
use sqlx::Connection;
use sqlx::Executor;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::claims::{Ask, DAY, SHORT};
use crate::folder::Folder;

const NOW: &str = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

async fn now(store: &SqliteStore) -> i64 {
    sqlx::query_scalar(NOW).fetch_one(store.pool()).await.unwrap()
}

async fn column(store: &SqliteStore, name: &'static str) -> i64 {
    sqlx::query_scalar(name).fetch_one(store.pool()).await.unwrap()
}

/// Asks without a pause until something is claimed, and checks each answer against the time around it.
async fn boundary(store: &SqliteStore, ask: Ask, end: i64, is_before: impl Fn(&Claim) -> bool) {
    let mut before_the_end = 0;
    loop {
        let before = now(store).await;
        let claim = ask.other().of(store).await.unwrap();
        let after = now(store).await;
        let claimed = matches!(claim, Claim::Acquired { .. });
        assert!(claimed || is_before(&claim), "{claim:?}");
        if claimed {
            assert!(after >= end, "{} ms too early", end - after);
            break;
        }
        assert!(before < end, "{} ms too late", before - end);
        before_the_end += 1;
    }
    assert!(before_the_end > 5);
}

#[tokio::test]
async fn an_outcome_ends_at_its_millisecond() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let ask = Ask::new();
    ask.done(&store, b"done", SHORT).await;
    let end = column(&store, "SELECT expires_at FROM resilience_idempotency").await;
    boundary(&store, ask, end, |claim| matches!(claim, Claim::Replay(_))).await;
}

#[tokio::test]
async fn a_lease_ends_at_its_millisecond() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let ask = Ask::new().lease(SHORT);
    ask.acquire(&store).await;
    let end = column(&store, "SELECT lease_until FROM resilience_idempotency").await;
    let in_flight = |claim: &Claim| matches!(claim, Claim::InFlight { .. });
    boundary(&store, ask.lease(DAY), end, in_flight).await;
}

/// One that has waited for the database counts from when its turn has come.
#[tokio::test]
async fn a_lease_does_not_begin_in_the_queue() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut locked = SqliteConnection::connect_with(&options).await.unwrap();
    locked.execute("BEGIN EXCLUSIVE").await.unwrap();
    let ask = Ask::new().lease(SHORT);
    let wait = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let unlocked = sqlx::query_scalar::<_, i64>(NOW).fetch_one(&mut locked).await.unwrap();
        locked.execute("COMMIT").await.unwrap();
        unlocked
    };
    let (_, unlocked) = tokio::join!(ask.acquire(&store), wait);
    let end = column(&store, "SELECT lease_until FROM resilience_idempotency").await;
    assert!(end >= unlocked + 200, "{} ms are missing", unlocked + 200 - end);
    assert_eq!(store.purge(9).await.unwrap(), 0);
}
