//! Steps that were applied and whose answer was lost, so that they are repeated.
#![expect(clippy::missing_panics_doc, reason = "a case panics where the store is wrong")]

use super::candidate::{Ask, Candidate, LONG, SHORT, applied, fenced, outlast};
use crate::store::{Claim, Store};

/// C19, T4.
pub async fn a_repeated_claim_gets_the_same_token<S: Store + Clone>(on: Candidate<S>) {
    for ask in Ask::both() {
        let subject = on.fresh();
        let token = subject.acquire(ask, 1).await;
        for _ in 0..3 {
            assert_eq!(subject.acquire(ask, 1).await, token);
            assert_eq!(subject.acquire(ask.never(), 1).await, token);
        }
        applied(subject.complete(token, b"done").await);
    }
    // A later attempt too.
    let (subject, ask) = (on.fresh(), Ask::new());
    let first = subject.acquire(Ask::new(), 1).await;
    applied(subject.abandon(first).await);
    let token = subject.acquire(ask, 2).await;
    assert_eq!(subject.acquire(ask, 2).await, token);
}

/// T4: unchanged.
pub async fn a_repeated_claim_does_not_renew<S: Store + Clone>(on: Candidate<S>) {
    let (subject, ask) = (on.fresh(), Ask::new());
    let token = subject.acquire(ask.lease(SHORT), 1).await;
    assert_eq!(subject.acquire(ask.lease(LONG), 1).await, token);
    outlast(SHORT).await;
    assert_eq!(subject.claim(Ask::new().never()).await, Claim::Interrupted { attempt: 1 });
}

/// T4 has no lease in its guard.
pub async fn a_repeated_claim_gets_its_token_after_the_lease<S: Store + Clone>(on: Candidate<S>) {
    let (subject, ask) = (on.fresh(), Ask::new().lease(SHORT));
    let token = subject.acquire(ask, 1).await;
    outlast(SHORT).await;
    assert_eq!(subject.acquire(ask, 1).await, token);
    assert_eq!(subject.acquire(ask.never(), 1).await, token);
    applied(subject.complete(token, b"done").await);
}

/// C20, T9'.
pub async fn a_repeated_completion_is_applied<S: Store + Clone>(on: Candidate<S>) {
    let subject = on.fresh();
    let token = subject.acquire(Ask::new(), 1).await;
    for _ in 0..3 {
        applied(subject.complete(token, b"done").await);
    }
    subject.replays(b"done").await;
    applied(subject.complete(token, b"done").await);
}

/// T9': neither the bytes nor the time (I2).
pub async fn a_repeated_completion_changes_nothing<S: Store + Clone>(on: Candidate<S>) {
    let (bytes, longer, shorter) = (on.fresh(), on.fresh(), on.fresh());
    let token = bytes.acquire(Ask::new(), 1).await;
    applied(bytes.complete(token, b"first").await);
    applied(bytes.complete(token, b"second").await);
    bytes.replays(b"first").await;

    let token = longer.acquire(Ask::new(), 1).await;
    applied(longer.complete_for(token, b"done", LONG).await);
    applied(longer.complete_for(token, b"done", SHORT).await);
    let token = shorter.acquire(Ask::new(), 1).await;
    applied(shorter.complete_for(token, b"done", SHORT).await);
    applied(shorter.complete_for(token, b"done", LONG).await);
    outlast(SHORT).await;
    longer.replays(b"done").await;
    shorter.acquire(Ask::new(), 1).await;
}

/// T8, T10, T11.
pub async fn repeated_writes_are_applied<S: Store + Clone>(on: Candidate<S>) {
    let (subject, ask) = (on.fresh(), Ask::new());
    let token = subject.acquire(ask, 1).await;
    for _ in 0..2 {
        applied(subject.renew(token, LONG).await);
    }
    for _ in 0..2 {
        applied(subject.abandon(token).await);
    }
    assert_eq!(subject.claim(Ask::new().never()).await, Claim::Interrupted { attempt: 1 });
    for _ in 0..3 {
        applied(subject.release(token).await);
    }
    subject.acquire(Ask::new(), 2).await;
}

/// T12: the answer came too late.
pub async fn a_repeated_release_does_not_touch_the_next<S: Store + Clone>(on: Candidate<S>) {
    for is_released in [true, false] {
        let subject = on.fresh();
        let first = subject.acquire(Ask::new(), 1).await;
        let end = async || {
            if is_released { subject.release(first).await } else { subject.abandon(first).await }
        };
        applied(end().await);
        let second = subject.acquire(Ask::new(), 2).await;
        fenced(end().await);
        subject.in_flight(Ask::new()).await;
        applied(subject.complete(second, b"done").await);
        fenced(end().await);
        subject.replays(b"done").await;
    }
}
