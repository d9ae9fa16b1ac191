//! The store under test, and one key of the store.

use core::fmt;
use core::future::Future;
use core::time::Duration;

use super::racer::Racer;
use crate::key::{Fingerprint, RecordKey};
use crate::store::{Claim, ClaimRequest, Interrupted, Store, Takeover, Token, WriteOutcome};
use crate::store_error::StoreResult;
use resilience_core::__internal::Delay;
use resilience_core::__internal::unique_id;

/// A store under test.
#[derive(Clone, Debug)]
pub struct Candidate<S> {
    pub(super) store: S,
    pub(super) keys: usize,
}

impl<S: Store + Clone> Candidate<S> {
    /// Creates a candidate whose races use 50 keys.
    #[must_use]
    pub const fn new(store: S) -> Self {
        Self { store, keys: 50 }
    }

    /// Sets the number of keys of a race.
    #[must_use]
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// Returns a new random key.
    pub(super) fn fresh(&self) -> Subject<S> {
        let (key, fingerprint) = (RecordKey(random_bytes()), Fingerprint(random_bytes()));
        Subject { store: self.store.clone(), key, fingerprint }
    }

    /// Returns new random keys, one for each round of a race.
    pub(super) fn fresh_keys(&self) -> Vec<Subject<S>> {
        (0..self.keys).map(|_| self.fresh()).collect()
    }

    /// Purges until no expired record is left.
    pub(super) async fn purge_all(&self) {
        for _ in 0..10_000 {
            if expect_answer("purge", self.store.purge(1000).await) == 0 {
                return;
            }
        }
        panic!("`purge` never ends");
    }

    /// Returns the interrupted calls that the store lists.
    pub(super) async fn interrupted(&self, limit: usize) -> Vec<Interrupted> {
        expect_answer("interrupted", self.store.interrupted(limit).await)
    }
}

fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    let halves = [unique_id().to_le_bytes(), unique_id().to_le_bytes()];
    bytes.copy_from_slice(halves.as_flattened());
    bytes
}

/// One key with one fingerprint.
#[derive(Clone)]
pub(super) struct Subject<S> {
    pub(super) store: S,
    pub(super) key: RecordKey,
    pub(super) fingerprint: Fingerprint,
}

/// The parameters of a claim. Each value has a new owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestClaim {
    pub(super) owner: u128,
    lease: Duration,
    retention: Duration,
    takeover: Takeover,
    label: &'static str,
}

/// The shortest lease: long against a step of the store, short against a test.
pub(super) const SHORT: Duration = Duration::from_millis(200);
/// A time longer than any case.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// The default retention.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

impl TestClaim {
    pub(super) fn new() -> Self {
        Self {
            owner: unique_id(),
            lease: LONG,
            retention: DAY,
            takeover: Takeover::Rerun,
            label: "conformance",
        }
    }

    pub(super) fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    pub(super) fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    pub(super) fn owner(mut self, owner: u128) -> Self {
        self.owner = owner;
        self
    }

    pub(super) fn never(mut self) -> Self {
        self.takeover = Takeover::Never;
        self
    }

    pub(super) fn label(mut self, label: &'static str) -> Self {
        self.label = label;
        self
    }

    /// Returns a claim for each kind of takeover.
    pub(super) fn both() -> [Self; 2] {
        [Self::new(), Self::new().never()]
    }
}

impl<S: Store + Clone> Subject<S> {
    /// Returns the same key with another fingerprint.
    pub(super) fn with_other_fingerprint(&self) -> Self {
        Self { fingerprint: Fingerprint(random_bytes()), ..self.clone() }
    }

    pub(super) async fn claim(&self, claim: TestClaim) -> Claim {
        let request = ClaimRequest {
            key: &self.key,
            fingerprint: &self.fingerprint,
            owner: claim.owner,
            lease: claim.lease,
            retention: claim.retention,
            takeover: claim.takeover,
            label: claim.label,
            scope: None,
        };
        expect_answer("claim", self.store.claim(request).await)
    }

    /// Asserts that the claim is acquired with attempt `expected`.
    pub(super) async fn acquire(&self, claim: TestClaim, expected: u32) -> Token {
        match self.claim(claim).await {
            Claim::Acquired { token, attempt } => {
                assert_eq!(token.owner, claim.owner, "the owner of the token");
                assert_eq!(attempt, expected, "the attempt");
                token
            }
            other => panic!("expected an acquired claim, got {other:?}"),
        }
    }

    /// Asserts that the claim finds another claim in flight. Returns the rest of its lease.
    pub(super) async fn in_flight(&self, claim: TestClaim) -> Duration {
        match self.claim(claim).await {
            Claim::InFlight { lease_left } => {
                assert!(!lease_left.is_zero(), "a lease in flight has time left");
                lease_left
            }
            other => panic!("expected a claim in flight, got {other:?}"),
        }
    }

    /// Asserts that claims with each kind of takeover return this outcome.
    pub(super) async fn assert_replays(&self, outcome: &[u8]) {
        for claim in TestClaim::both() {
            assert_eq!(self.claim(claim).await, Claim::Replay(outcome.into()));
        }
    }

    /// Asserts that claims with another fingerprint return a mismatch, also with the same owner.
    pub(super) async fn assert_mismatch(&self, owner: u128) {
        for claim in TestClaim::both() {
            let other = self.with_other_fingerprint();
            assert_eq!(other.claim(claim).await, Claim::Mismatch);
            assert_eq!(other.claim(claim.owner(owner)).await, Claim::Mismatch, "by the same owner");
        }
    }

    pub(super) async fn complete(&self, token: Token, outcome: &[u8]) -> WriteOutcome {
        self.complete_for(token, outcome, DAY).await
    }

    pub(super) async fn complete_for(
        &self,
        token: Token,
        outcome: &[u8],
        time: Duration,
    ) -> WriteOutcome {
        expect_answer("complete", self.store.complete(&self.key, token, outcome, time).await)
    }

    pub(super) async fn renew(&self, token: Token, lease: Duration) -> WriteOutcome {
        expect_answer("renew", self.store.renew(&self.key, token, lease).await)
    }

    pub(super) async fn release(&self, token: Token) -> WriteOutcome {
        expect_answer("release", self.store.release(&self.key, token).await)
    }

    pub(super) async fn abandon(&self, token: Token) -> WriteOutcome {
        expect_answer("abandon", self.store.abandon(&self.key, token).await)
    }

    pub(super) async fn forget(&self) -> bool {
        expect_answer("forget", self.store.forget(&self.key).await)
    }

    /// Asserts that every write with this token is fenced.
    pub(super) async fn assert_fenced(&self, token: Token) {
        assert_eq!(self.complete(token, b"stale").await, WriteOutcome::Fenced, "complete");
        assert_eq!(self.release(token).await, WriteOutcome::Fenced, "release");
        assert_eq!(self.abandon(token).await, WriteOutcome::Fenced, "abandon");
        assert_eq!(self.renew(token, LONG).await, WriteOutcome::Fenced, "renew");
    }
}

/// Returns the reply of a step that must not fail.
pub(super) fn expect_answer<T>(step: &str, answer: StoreResult<T>) -> T {
    answer.unwrap_or_else(|error| {
        let source = core::error::Error::source(&error).map(ToString::to_string);
        panic!("`{step}` failed: {error}: {}", source.unwrap_or_default())
    })
}

/// Asserts that a write was applied.
#[track_caller]
pub(super) fn applied(write: WriteOutcome) {
    assert_eq!(write, WriteOutcome::Applied);
}

/// Asserts that a write was fenced.
#[track_caller]
pub(super) fn fenced(write: WriteOutcome) {
    assert_eq!(write, WriteOutcome::Fenced);
}

/// Waits for `time`.
pub(super) async fn pass(time: Duration) {
    Delay::start(time).0.wait().await;
}

/// Waits until a lease or retention of `time` that began before now has ended on every clock.
pub(super) async fn outlast(time: Duration) {
    pass(time + Duration::from_millis(30)).await;
}

/// Runs `racers` at the same time. Returns their outputs.
pub(super) async fn race<T, F>(racers: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let racers: Vec<_> = racers.into_iter().map(Racer::start).collect();
    let mut ends = Vec::with_capacity(racers.len());
    for racer in racers {
        ends.push(racer.end().await);
    }
    ends
}

impl<S> fmt::Debug for Subject<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("key", &self.key).finish_non_exhaustive()
    }
}
