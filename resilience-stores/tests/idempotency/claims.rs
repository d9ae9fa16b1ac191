//! Single steps of a store.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use resilience::idempotent::{
    Claim, ClaimRequest, Fingerprint, RecordKey, Store, StoreResult, Takeover, Token, WriteOutcome,
};

pub(crate) const SHORT: Duration = Duration::from_millis(200);
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A claim of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimSpec {
    pub(crate) key: RecordKey,
    pub(crate) owner: u128,
    pub(crate) lease: Duration,
    pub(crate) retention: Duration,
    pub(crate) takeover: Takeover,
}

impl ClaimSpec {
    /// Creates a claim of an unused key.
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        key.chunks_mut(8).for_each(|part| part.copy_from_slice(&random().to_be_bytes()));
        let takeover = Takeover::Rerun;
        Self { key: RecordKey(key), owner: owner(), lease: DAY, retention: DAY, takeover }
    }

    /// Creates a claim of the same key by another owner.
    pub(crate) fn other(self) -> Self {
        Self { owner: owner(), ..self }
    }

    pub(crate) fn lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    pub(crate) fn no_takeover(self) -> Self {
        Self { takeover: Takeover::Never, ..self }
    }

    pub(crate) async fn claim(&self, store: &impl Store) -> StoreResult<Claim> {
        let request = ClaimRequest {
            key: &self.key,
            fingerprint: &Fingerprint(self.key.0),
            owner: self.owner,
            lease: self.lease,
            retention: self.retention,
            takeover: self.takeover,
            label: "test",
            scope: None,
        };
        store.claim(request).await
    }

    /// Requires that the claim is acquired.
    pub(crate) async fn acquire(&self, store: &impl Store) -> (Token, u32) {
        match self.claim(store).await.unwrap() {
            Claim::Acquired { token, attempt } => (token, attempt),
            other => panic!("{other:?}"),
        }
    }

    /// Acquires and completes the claim.
    pub(crate) async fn complete(&self, store: &impl Store, outcome: &[u8], retention: Duration) {
        let (token, _) = self.acquire(store).await;
        let written = store.complete(&self.key, token, outcome, retention).await.unwrap();
        assert_eq!(written, WriteOutcome::Applied);
    }

    /// Requires that the claim replays this outcome.
    pub(crate) async fn replays(&self, store: &impl Store, outcome: &[u8]) {
        assert_eq!(self.claim(store).await.unwrap(), Claim::Replay(outcome.into()));
    }
}

fn owner() -> u128 {
    u128::from(random()) << 64 | u128::from(random())
}

pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
