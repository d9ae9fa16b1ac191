//! A full disk.

use resilience::idempotent::{Claim, Store, StoreErrorKind, WriteOutcome};
use resilience::stores::SqliteStore;
use resilience::{IdempotencyRejection, RejectedKind};
use sqlx::Executor;

use crate::child::{self, Process, report};
use crate::claims::{ClaimSpec, DAY, SHORT};
use crate::folder::Folder;
use crate::payments::Payments;

#[tokio::test]
async fn stored_outcomes_replay_on_a_full_disk() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let payments = Payments::new(store.clone(), folder.journal());
    let paid = payments.rerun("r-1", 5).await.unwrap();
    store.pool().execute("PRAGMA max_page_count = 30").await.unwrap();
    let outcome = [7; 1000];
    let (mut kept, mut in_flight) = (Vec::new(), Vec::new());
    let error = loop {
        let spec = ClaimSpec::new();
        let token = match spec.claim(&store).await {
            Ok(Claim::Acquired { token, .. }) => token,
            other => break other.unwrap_err(),
        };
        // Every second record expires soon.
        let time = if kept.len() % 2 == 0 { DAY } else { SHORT };
        match store.complete(&spec.key, token, &outcome, time).await {
            Ok(WriteOutcome::Applied) => kept.push(spec),
            Ok(WriteOutcome::Fenced) => panic!("no other owner exists"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Full);
                in_flight.push((spec, token));
            }
        }
    };
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(kept.len() > 5 && !in_flight.is_empty(), "{} and {}", kept.len(), in_flight.len());
    for spec in kept.iter().step_by(2) {
        spec.replays(&store, &outcome).await;
    }
    for (spec, token) in &in_flight {
        assert_eq!(spec.acquire(&store).await, (*token, 1));
    }
    assert_eq!(payments.rerun("r-1", 5).await.unwrap(), paid);
    // Few new calls find space, and the remaining calls do not run.
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
    // A purge frees space.
    tokio::time::sleep(SHORT).await;
    while store.purge(10).await.unwrap() > 0 {}
    payments.rerun("r-2", 5).await.unwrap();
}

/// The disk becomes full during the commit: an acknowledged claim must exist.
#[tokio::test]
async fn an_acknowledged_claim_is_written() {
    if let Some(role) = child::role() {
        let store = SqliteStore::open(&role[0]).await.unwrap();
        store.pool().execute("PRAGMA wal_autocheckpoint = 0").await.unwrap();
        for _ in 0..1000 {
            let spec = ClaimSpec::new();
            if spec.claim(&store).await.is_err() {
                return report("the disk is full");
            }
            let other = spec.other().claim(&store).await;
            assert!(!matches!(other, Ok(Claim::Acquired { .. })), "one claim, two owners");
        }
        return report("all records fit");
    }
    let folder = Folder::new();
    SqliteStore::open(folder.database()).await.unwrap().pool().close().await;
    let path = folder.database();
    let process = Process::start_with_file_limit(
        128 * 1024,
        "sqlite::full::an_acknowledged_claim_is_written",
        &[child::word(&path)],
    );
    assert_eq!(process.wait(), ["the disk is full"]);
}
