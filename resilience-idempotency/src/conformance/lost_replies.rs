//! Steps that are repeated because the reply to the first was lost.

use super::candidate::{Candidate, LONG, SHORT, TestClaim, applied, fenced, outlast};
use crate::store::{Claim, Store};

/// T4: a repeated claim of the same owner returns the same token.
pub async fn a_repeated_claim_gets_the_same_token<S: Store + Clone>(candidate: Candidate<S>) {
    for claim in TestClaim::both() {
        let subject = candidate.fresh();
        let token = subject.acquire(claim, 1).await;
        for _ in 0..3 {
            assert_eq!(subject.acquire(claim, 1).await, token);
            assert_eq!(subject.acquire(claim.never(), 1).await, token);
        }
        applied(subject.complete(token, b"done").await);
    }
    // This also holds for a later attempt.
    let (subject, claim) = (candidate.fresh(), TestClaim::new());
    let first = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.abandon(first).await);
    let token = subject.acquire(claim, 2).await;
    assert_eq!(subject.acquire(claim, 2).await, token);
}

/// T4: a repeated claim does not change the lease.
pub async fn a_repeated_claim_does_not_renew<S: Store + Clone>(candidate: Candidate<S>) {
    let (subject, claim) = (candidate.fresh(), TestClaim::new());
    let token = subject.acquire(claim.lease(SHORT), 1).await;
    assert_eq!(subject.acquire(claim.lease(LONG), 1).await, token);
    outlast(SHORT).await;
    assert_eq!(subject.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
}

/// T4: a repeated claim succeeds after the end of the lease.
pub async fn a_repeated_claim_gets_its_token_after_the_lease_ends<S: Store + Clone>(
    candidate: Candidate<S>,
) {
    let (subject, claim) = (candidate.fresh(), TestClaim::new().lease(SHORT));
    let token = subject.acquire(claim, 1).await;
    outlast(SHORT).await;
    assert_eq!(subject.acquire(claim, 1).await, token);
    assert_eq!(subject.acquire(claim.never(), 1).await, token);
    applied(subject.complete(token, b"done").await);
}

/// T9': a repeated completion is applied.
pub async fn a_repeated_completion_is_applied<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    for _ in 0..3 {
        applied(subject.complete(token, b"done").await);
    }
    subject.assert_replays(b"done").await;
    applied(subject.complete(token, b"done").await);
}

/// T9': a repeated completion changes neither the outcome nor the retention.
pub async fn a_repeated_completion_changes_nothing<S: Store + Clone>(candidate: Candidate<S>) {
    let (bytes, longer, shorter) = (candidate.fresh(), candidate.fresh(), candidate.fresh());
    let token = bytes.acquire(TestClaim::new(), 1).await;
    applied(bytes.complete(token, b"first").await);
    applied(bytes.complete(token, b"second").await);
    bytes.assert_replays(b"first").await;

    let token = longer.acquire(TestClaim::new(), 1).await;
    applied(longer.complete_for(token, b"done", LONG).await);
    applied(longer.complete_for(token, b"done", SHORT).await);
    let token = shorter.acquire(TestClaim::new(), 1).await;
    applied(shorter.complete_for(token, b"done", SHORT).await);
    applied(shorter.complete_for(token, b"done", LONG).await);
    outlast(SHORT).await;
    longer.assert_replays(b"done").await;
    shorter.acquire(TestClaim::new(), 1).await;
}

/// T8, T10, T11: a repeated renewal, release or abandonment is applied.
pub async fn repeated_writes_are_applied<S: Store + Clone>(candidate: Candidate<S>) {
    let (subject, claim) = (candidate.fresh(), TestClaim::new());
    let token = subject.acquire(claim, 1).await;
    for _ in 0..2 {
        applied(subject.renew(token, LONG).await);
    }
    for _ in 0..2 {
        applied(subject.abandon(token).await);
    }
    assert_eq!(subject.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    for _ in 0..3 {
        applied(subject.release(token).await);
    }
    subject.acquire(TestClaim::new(), 2).await;
}

/// T12: a late repetition does not change the claim of another call.
pub async fn a_repeated_release_does_not_affect_the_next_claim<S: Store + Clone>(
    candidate: Candidate<S>,
) {
    for is_released in [true, false] {
        let subject = candidate.fresh();
        let first = subject.acquire(TestClaim::new(), 1).await;
        let end = async || {
            if is_released { subject.release(first).await } else { subject.abandon(first).await }
        };
        applied(end().await);
        let second = subject.acquire(TestClaim::new(), 2).await;
        fenced(end().await);
        subject.in_flight(TestClaim::new()).await;
        applied(subject.complete(second, b"done").await);
        fenced(end().await);
        subject.assert_replays(b"done").await;
    }
}
