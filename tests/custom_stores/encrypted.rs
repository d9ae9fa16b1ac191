//! Encrypted outcomes.

use std::sync::Arc;
use std::time::Duration;

use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, MemoryStore, RecordKey, Store, StoreErrorKind, StoreResult,
    Takeover,
};

use crate::encrypted_store::Encrypted;

const DAY: Duration = Duration::from_secs(86_400);
const KEY: [u8; 32] = [1; 32];

mod conformance {
    use std::future::{Ready, ready};

    use super::*;

    fn store() -> Ready<Encrypted<Arc<MemoryStore>>> {
        ready(Encrypted::new(Arc::new(MemoryStore::new()), &KEY, &[]))
    }

    resilience::store_conformance!(store);
}

async fn claim(store: &impl Store, key: RecordKey) -> StoreResult<Claim> {
    let request = ClaimRequest {
        key: &key,
        fingerprint: &Fingerprint([0; 32]),
        owner: 7,
        lease: DAY,
        retention: DAY,
        takeover: Takeover::Rerun,
        label: "test",
        scope: None,
    };
    store.claim(request).await
}

async fn complete(store: &impl Store, key: RecordKey, outcome: &[u8]) {
    let Claim::Acquired { token, .. } = claim(store, key).await.unwrap() else { panic!() };
    let _ = store.complete(&key, token, outcome, DAY).await.unwrap();
}

/// Returns the stored bytes.
async fn stored(records: &Arc<MemoryStore>, key: RecordKey) -> Arc<[u8]> {
    let Claim::Replay(bytes) = claim(records, key).await.unwrap() else { panic!() };
    bytes
}

#[tokio::test]
async fn a_stored_outcome_is_unreadable_and_belongs_to_its_record() {
    let records = Arc::new(MemoryStore::new());
    let store = Encrypted::new(Arc::clone(&records), &KEY, &[]);
    let [a, b, c] = [RecordKey([10; 32]), RecordKey([11; 32]), RecordKey([12; 32])];
    for key in [a, b] {
        complete(&store, key, b"tok_4711").await;
        assert_eq!(claim(&store, key).await.unwrap(), Claim::Replay((*b"tok_4711").into()));
        let bytes = stored(&records, key).await;
        assert!(!bytes.windows(8).any(|window| window == b"tok_4711"));
    }
    assert_ne!(stored(&records, a).await, stored(&records, b).await, "another nonce");
    // The outcome of one record is copied to another record.
    complete(&records, c, &stored(&records, a).await).await;
    assert_eq!(claim(&store, c).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_changed_or_short_outcome_is_corrupt() {
    let records = Arc::new(MemoryStore::new());
    let store = Encrypted::new(Arc::clone(&records), &KEY, &[]);
    let original = RecordKey([0; 32]);
    complete(&store, original, b"done").await;
    let bytes = stored(&records, original).await;
    for (number, at) in (1_u8..).zip(0..bytes.len()) {
        let (key, mut changed) = (RecordKey([number; 32]), bytes.to_vec());
        changed[at] ^= 1;
        complete(&records, key, &changed).await;
        assert_eq!(claim(&store, key).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    complete(&records, RecordKey([200; 32]), b"short").await;
    let short = claim(&store, RecordKey([200; 32])).await;
    assert_eq!(short.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn an_earlier_key_still_decrypts() {
    let records = Arc::new(MemoryStore::new());
    let key = RecordKey([0; 32]);
    complete(&Encrypted::new(Arc::clone(&records), &KEY, &[]), key, b"done").await;
    let rotated = Encrypted::new(Arc::clone(&records), &[2; 32], &[KEY]);
    assert_eq!(claim(&rotated, key).await.unwrap(), Claim::Replay((*b"done").into()));
    let without = Encrypted::new(records, &[2; 32], &[]);
    assert_eq!(claim(&without, key).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}
