//! A disk without room.

use resilience::idempotent::{Claim, Store, StoreErrorKind, WriteOutcome};
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::Executor;

use crate::child::{self, Process, say};
use crate::claims::{Ask, DAY, SHORT};
use crate::folder::Folder;
use crate::payments::Payments;

#[tokio::test]
async fn what_is_there_still_replays() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store.clone(), folder.journal());
    let paid = payments.rerun("r-1", 5).await.unwrap();
    store.pool().execute("PRAGMA max_page_count = 30").await.unwrap();
    let outcome = [7; 1000];
    let (mut kept, mut held) = (Vec::new(), Vec::new());
    let error = loop {
        let ask = Ask::new();
        let token = match ask.of(&store).await {
            Ok(Claim::Acquired { token, .. }) => token,
            other => break other.unwrap_err(),
        };
        // Every other one goes soon.
        let time = if kept.len() % 2 == 0 { DAY } else { SHORT };
        match store.complete(&ask.key, token, &outcome, time).await {
            Ok(WriteOutcome::Applied) => kept.push(ask),
            Ok(WriteOutcome::Fenced) => panic!("nobody else is here"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full);
                held.push((ask, token));
            }
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(kept.len() > 5 && !held.is_empty(), "{} and {}", kept.len(), held.len());
    for ask in kept.iter().step_by(2) {
        ask.replays(&store, &outcome).await;
    }
    for (ask, token) in &held {
        assert_eq!(ask.acquire(&store).await, (*token, 1));
    }
    assert_eq!(payments.rerun("r-1", 5).await.unwrap(), paid);
    // Few calls that are new find a place, and the others do not run.
    let mut ran = 0;
    for request in 0..30 {
        match payments.rerun(&format!("n-{request}"), 5).await {
            Ok(_) => ran += 1,
            Err(error) => assert_eq!(
                error.kind(),
                RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
            ),
        }
    }
    assert!(ran < 30);
    assert_eq!(payments.lines().len(), 1 + ran);
    // A purge makes room.
    tokio::time::sleep(SHORT).await;
    while store.purge(10).await.unwrap() > 0 {}
    payments.rerun("r-2", 5).await.unwrap();
}

/// The disk ends at the very moment of the commit: whoever is told that the claim is theirs has one.
#[tokio::test]
async fn a_claim_that_is_not_written_is_not_made() {
    if let Some(part) = child::part() {
        let store = SqliteStore::open(&part[0]).await.unwrap();
        store.pool().execute("PRAGMA wal_autocheckpoint = 0").await.unwrap();
        for _ in 0..1000 {
            let ask = Ask::new();
            if ask.of(&store).await.is_err() {
                return say("the disk is full");
            }
            let other = ask.other().of(&store).await;
            assert!(!matches!(other, Ok(Claim::Acquired { .. })), "one claim, two owners");
        }
        return say("there is room for all");
    }
    let folder = Folder::new();
    SqliteStore::open(folder.database()).await.unwrap().pool().close().await;
    let path = folder.database();
    let process = Process::start_with_files_up_to(
        128 * 1024,
        "sqlite::full::a_claim_that_is_not_written_is_not_made",
        &[child::word(&path)],
    );
    assert_eq!(process.ended(), ["the disk is full"]);
}
