//! The clock of the machine.

use std::time::Duration;

use resilience::idempotent::{Claim, Store};
use resilience::stores::SqliteStore;
use sqlx::Connection;
use sqlx::Executor;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::claims::{ClaimSpec, DAY, SHORT};
use crate::folder::Folder;

const NOW: &str = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

async fn now(store: &SqliteStore) -> i64 {
    sqlx::query_scalar(NOW).fetch_one(store.pool()).await.unwrap()
}

async fn column(store: &SqliteStore, name: &'static str) -> i64 {
    sqlx::query_scalar(name).fetch_one(store.pool()).await.unwrap()
}

/// Claims without a delay until a claim succeeds, and checks each answer against the surrounding
/// time. Returns the number of answers before the end.
async fn boundary(
    store: &SqliteStore,
    spec: ClaimSpec,
    end: i64,
    is_before: impl Fn(&Claim) -> bool,
) -> u32 {
    let mut before_the_end = 0;
    loop {
        let before = now(store).await;
        let claim = spec.other().claim(store).await.unwrap();
        let after = now(store).await;
        let claimed = matches!(claim, Claim::Acquired { .. });
        assert!(claimed || is_before(&claim), "{claim:?}");
        if claimed {
            assert!(after >= end, "{} ms too early", end - after);
            return before_the_end;
        }
        assert!(before < end, "{} ms too late", before - end);
        before_the_end += 1;
    }
}

/// Times that double until enough claims fit into a time, on any machine.
fn times() -> impl Iterator<Item = Duration> {
    (0..10).map(|doubled| SHORT * 2_u32.pow(doubled))
}

#[tokio::test]
async fn an_outcome_ends_at_its_millisecond() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    for time in times() {
        let spec = ClaimSpec::new();
        spec.complete(&store, b"done", time).await;
        let end = column(&store, "SELECT max(expires_at) FROM resilience_idempotency").await;
        if boundary(&store, spec, end, |claim| matches!(claim, Claim::Replay(_))).await > 5 {
            return;
        }
    }
    panic!("too few claims before the end");
}

#[tokio::test]
async fn a_lease_ends_at_its_millisecond() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let in_flight = |claim: &Claim| matches!(claim, Claim::InFlight { .. });
    for time in times() {
        let spec = ClaimSpec::new().lease(time);
        spec.acquire(&store).await;
        let end = column(&store, "SELECT max(lease_until) FROM resilience_idempotency").await;
        if boundary(&store, spec.lease(DAY), end, in_flight).await > 5 {
            return;
        }
    }
    panic!("too few claims before the end");
}

/// A claim that waited for the database counts the lease from the end of the wait.
#[tokio::test]
async fn a_lease_starts_after_the_wait_for_the_lock() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.database());
    let mut locked = SqliteConnection::connect_with(&options).await.unwrap();
    locked.execute("BEGIN EXCLUSIVE").await.unwrap();
    let spec = ClaimSpec::new().lease(SHORT);
    let wait = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let unlocked = sqlx::query_scalar::<_, i64>(NOW).fetch_one(&mut locked).await.unwrap();
        locked.execute("COMMIT").await.unwrap();
        unlocked
    };
    let (_, unlocked) = tokio::join!(spec.acquire(&store), wait);
    let end = column(&store, "SELECT lease_until FROM resilience_idempotency").await;
    assert!(end >= unlocked + 200, "{} ms are missing", unlocked + 200 - end);
    assert_eq!(store.purge(9).await.unwrap(), 0);
}
