//! A file that is closed and opened again.

use resilience::idempotent::{Claim, Store, WriteOutcome};
use resilience::stores::SqliteStore;

use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::Payments;

#[tokio::test]
async fn outcomes_survive_the_process() {
    let folder = Folder::new();
    let mut first = None;
    for _ in 0..3 {
        let store = SqliteStore::open(folder.database()).await.unwrap();
        let payments = Payments::new(store.clone(), folder.journal());
        let paid = payments.rerun("r-1", 5).await.unwrap();
        assert_eq!(*first.get_or_insert(paid.clone()), paid);
        store.pool().close().await;
        assert_eq!(payments.lines().len(), 1);
    }
}

#[tokio::test]
async fn states_survive_the_process() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.database()).await.unwrap();
    let [claimed, released, abandoned] = [(); 3].map(|()| ClaimSpec::new());
    let (token, _) = claimed.acquire(&store).await;
    let (given_back, _) = released.acquire(&store).await;
    assert_eq!(store.release(&released.key, given_back).await.unwrap(), WriteOutcome::Applied);
    let (left, _) = abandoned.acquire(&store).await;
    assert_eq!(store.abandon(&abandoned.key, left).await.unwrap(), WriteOutcome::Applied);
    store.pool().close().await;

    let store = SqliteStore::open(folder.database()).await.unwrap();
    assert!(matches!(claimed.other().claim(&store).await.unwrap(), Claim::InFlight { .. }));
    assert_eq!(claimed.acquire(&store).await, (token, 1));
    assert_eq!(released.other().acquire(&store).await.1, 2);
    let claim = abandoned.other().no_takeover().claim(&store).await.unwrap();
    assert_eq!(claim, Claim::Interrupted { attempt: 1 });
    assert_eq!(store.interrupted(9).await.unwrap()[0].key, abandoned.key);
    assert_eq!(
        store.complete(&claimed.key, token, b"done", DAY).await.unwrap(),
        WriteOutcome::Applied
    );
}
