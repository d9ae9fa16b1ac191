//! Stored outcomes.

use super::candidate::{Candidate, SHORT, TestClaim, applied, outlast, race};
use crate::store::{Claim, Store};

/// An outcome returns byte for byte.
pub async fn outcomes_of_arbitrary_bytes<S: Store + Clone>(candidate: Candidate<S>) {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let texts: [&[u8]; 9] =
        [b"", b"x", b"\0", b"\0\0", b"\xff\xfe", b"{}", b"\\x00", b"'; --", "Größe".as_bytes()];
    for outcome in texts.into_iter().chain([&*every]) {
        let subject = candidate.fresh();
        let token = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.complete(token, outcome).await);
        subject.assert_replays(outcome).await;
    }
}

/// An outcome may have the maximum length of the store, at most 1 MiB.
pub async fn a_long_outcome<S: Store + Clone>(candidate: Candidate<S>) {
    let most = candidate.store.caps().max_outcome.min(1 << 20);
    for length in [most / 2 + 1, most] {
        let outcome: Vec<u8> = (0..=250).cycle().take(length).collect();
        let subject = candidate.fresh();
        let token = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.complete(token, &outcome).await);
        match subject.claim(TestClaim::new()).await {
            Claim::Replay(bytes) => assert!(*bytes == *outcome, "{length} bytes changed"),
            other => {
                panic!("expected {length} bytes, got {:.200}", format!("{other:?}"))
            }
        }
    }
}

/// A concurrent claim finds the whole outcome or no outcome.
pub async fn an_outcome_appears_atomically<S: Store + Clone>(candidate: Candidate<S>) {
    let length = candidate.store.caps().max_outcome.min(1 << 16);
    for subject in candidate.fresh_keys().into_iter().take(20) {
        let token = subject.acquire(TestClaim::new(), 1).await;
        let racers = (0..8).map(|racer| {
            let (subject, outcome) = (subject.clone(), vec![7; length]);
            async move {
                if racer == 3 {
                    applied(subject.complete(token, &outcome).await);
                    return;
                }
                loop {
                    match subject.claim(TestClaim::new()).await {
                        Claim::InFlight { .. } => {}
                        Claim::Replay(bytes) => {
                            assert!(*bytes == *outcome, "{} of {length} bytes", bytes.len());
                            return;
                        }
                        other => panic!("{other:?} while it completes"),
                    }
                    super::candidate::pass(core::time::Duration::ZERO).await;
                }
            }
        });
        race(racers).await;
    }
}

/// A claim after the expiry never finds the expired outcome again.
pub async fn an_expired_outcome_does_not_return<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.complete_for(token, b"old", SHORT).await);
    outlast(SHORT).await;
    let token = subject.acquire(TestClaim::new(), 1).await;
    subject.in_flight(TestClaim::new()).await;
    applied(subject.abandon(token).await);
    assert_eq!(subject.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    let token = subject.acquire(TestClaim::new(), 2).await;
    applied(subject.release(token).await);
    let token = subject.acquire(TestClaim::new(), 3).await;
    applied(subject.complete(token, b"new").await);
    subject.assert_replays(b"new").await;
}
