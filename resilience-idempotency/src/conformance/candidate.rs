//! The store under examination, and one key of it.

use core::fmt;
use core::future::Future;
use core::time::Duration;

use super::racer::Racer;
use crate::key::{Fingerprint, RecordKey};
use crate::store::{Claim, ClaimRequest, Interrupted, Store, Takeover, Token, WriteOutcome};
use crate::store_error::StoreResult;
use resilience_core::__internal::Delay;
use resilience_core::__internal::unique_id;

/// A store that is put to a case.
#[derive(Clone, Debug)]
pub struct Candidate<S> {
    pub(super) store: S,
    pub(super) keys: usize,
}

impl<S: Store + Clone> Candidate<S> {
    /// This store, with races over 50 keys.
    #[must_use]
    pub const fn new(store: S) -> Self {
        Self { store, keys: 50 }
    }

    /// Over how many keys a race goes.
    #[must_use]
    pub fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// A key that nobody has used.
    pub(super) fn fresh(&self) -> Subject<S> {
        let (key, fingerprint) = (RecordKey(random_bytes()), Fingerprint(random_bytes()));
        Subject { store: self.store.clone(), key, fingerprint }
    }

    /// As many of them as a race goes over.
    pub(super) fn fresh_keys(&self) -> Vec<Subject<S>> {
        (0..self.keys).map(|_| self.fresh()).collect()
    }

    /// Purges until there is nothing more.
    pub(super) async fn purge_all(&self) {
        for _ in 0..10_000 {
            if expect_answer("purge", self.store.purge(1000).await) == 0 {
                return;
            }
        }
        panic!("`purge` always finds more");
    }

    /// Every interrupted claim that the store lists.
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

/// One key, and what a call with it is about.
#[derive(Clone)]
pub(super) struct Subject<S> {
    pub(super) store: S,
    pub(super) key: RecordKey,
    pub(super) fingerprint: Fingerprint,
}

/// A claim that is asked for; each has a new owner.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestClaim {
    pub(super) owner: u128,
    lease: Duration,
    retention: Duration,
    takeover: Takeover,
    label: &'static str,
}

/// The shortest lease: long beside the steps of a store, short beside a test.
pub(super) const SHORT: Duration = Duration::from_millis(200);
/// Longer than any case.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// The retention where a case does not ask for another.
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

    /// One for each way to take over.
    pub(super) fn both() -> [Self; 2] {
        [Self::new(), Self::new().never()]
    }
}

impl<S: Store + Clone> Subject<S> {
    /// The same key, for something else.
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
        };
        expect_answer("claim", self.store.claim(request).await)
    }

    /// A claim that has to be acquired, as this attempt.
    pub(super) async fn acquire(&self, claim: TestClaim, expected: u32) -> Token {
        match self.claim(claim).await {
            Claim::Acquired { token, attempt } => {
                assert_eq!(token.owner, claim.owner, "the token is the claimant's");
                assert_eq!(attempt, expected, "the attempt");
                token
            }
            other => panic!("a claim was to be acquired, and the store expect_answer {other:?}"),
        }
    }

    /// A claim that has to find another one in flight; what is left of its lease.
    pub(super) async fn in_flight(&self, claim: TestClaim) -> Duration {
        match self.claim(claim).await {
            Claim::InFlight { lease_left } => {
                assert!(!lease_left.is_zero(), "a lease with nothing left is over");
                lease_left
            }
            other => panic!("a claim was to be in flight, and the store expect_answer {other:?}"),
        }
    }

    /// A claim that has to find this outcome, whoever asks.
    pub(super) async fn assert_replays(&self, outcome: &[u8]) {
        for claim in TestClaim::both() {
            assert_eq!(self.claim(claim).await, Claim::Replay(outcome.into()));
        }
    }

    /// Claims for something else have to be refused, whoever asks.
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

    /// Every write with this token has to be refused.
    pub(super) async fn assert_fenced(&self, token: Token) {
        assert_eq!(self.complete(token, b"stale").await, WriteOutcome::Fenced, "complete");
        assert_eq!(self.release(token).await, WriteOutcome::Fenced, "release");
        assert_eq!(self.abandon(token).await, WriteOutcome::Fenced, "abandon");
        assert_eq!(self.renew(token, LONG).await, WriteOutcome::Fenced, "renew");
    }
}

/// The answer of a store that has no reason to fail.
pub(super) fn expect_answer<T>(step: &str, answer: StoreResult<T>) -> T {
    answer.unwrap_or_else(|error| {
        let source = core::error::Error::source(&error).map(ToString::to_string);
        panic!("`{step}` failed: {error}: {}", source.unwrap_or_default())
    })
}

/// Applied, with what it was.
#[track_caller]
pub(super) fn applied(write: WriteOutcome) {
    assert_eq!(write, WriteOutcome::Applied);
}

/// Fenced.
#[track_caller]
pub(super) fn fenced(write: WriteOutcome) {
    assert_eq!(write, WriteOutcome::Fenced);
}

/// Lets so much time pass.
pub(super) async fn pass(time: Duration) {
    Delay::start(time).0.wait().await;
}

/// Lets a time end that began before now, by whichever clock.
pub(super) async fn outlast(time: Duration) {
    pass(time + Duration::from_millis(30)).await;
}

/// What `racers` come to that start at once.
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
