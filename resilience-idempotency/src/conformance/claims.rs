//! Results of claims that do not depend on time.

use super::candidate::{Candidate, DAY, LONG, SHORT, TestClaim, applied, outlast};
use crate::key::{Fingerprint, RecordKey};
use crate::store::{Claim, Store, WriteOutcome};

/// T1: the first claim of a key is acquired.
pub async fn a_first_claim_is_acquired<S: Store + Clone>(candidate: Candidate<S>) {
    for claim in TestClaim::both() {
        candidate.fresh().acquire(claim, 1).await;
    }
}

/// T5: a claim finds the running claim of another call.
pub async fn a_claim_in_flight_is_visible<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    for claim in TestClaim::both() {
        let left = subject.in_flight(claim).await;
        assert!(left <= LONG, "more than the lease is left: {left:?}");
        assert!(left > LONG / 2, "less than half of the lease is left: {left:?}");
    }
    applied(subject.complete(token, b"done").await);
}

/// Every byte of a key counts, whatever its value.
pub async fn keys_are_independent<S: Store + Clone>(candidate: Candidate<S>) {
    let mut subject = candidate.fresh();
    // The bytes behind a zero byte count too.
    subject.key.0[7] = 0;
    applied(subject.complete(subject.acquire(TestClaim::new(), 1).await, b"done").await);
    for (at, byte) in
        [(0, 0), (31, 0), (0, b'\''), (15, b'{'), (16, b'}'), (31, 0xff), (7, b'\\'), (8, 1)]
    {
        let mut other = subject.clone();
        if other.key.0[at] != byte {
            other.key.0[at] = byte;
            other.acquire(TestClaim::new(), 1).await;
        }
    }
    let mut bytes = subject.key.0;
    bytes.reverse();
    let reversed = super::candidate::Subject { key: RecordKey(bytes), ..subject.clone() };
    let token = reversed.acquire(TestClaim::new(), 1).await;
    applied(reversed.release(token).await);
    subject.assert_replays(b"done").await;
}

/// T3: a claim returns the stored outcome.
pub async fn a_completed_key_replays<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let claim = TestClaim::new();
    let token = subject.acquire(claim, 1).await;
    applied(subject.complete(token, b"done").await);
    for _ in 0..3 {
        subject.assert_replays(b"done").await;
    }
    assert_eq!(subject.claim(claim).await, Claim::Replay((*b"done").into()), "by the owner");
}

/// T2: in every state a mismatch comes before every other result, and changes nothing.
pub async fn a_mismatch_takes_precedence<S: Store + Clone>(candidate: Candidate<S>) {
    let (held, completed, released, abandoned, lapsed) = (
        candidate.fresh(),
        candidate.fresh(),
        candidate.fresh(),
        candidate.fresh(),
        candidate.fresh(),
    );

    let claim = TestClaim::new().lease(SHORT);
    let late = lapsed.acquire(claim, 1).await;
    lapsed.assert_mismatch(claim.owner).await;
    outlast(SHORT).await;
    lapsed.assert_mismatch(claim.owner).await;
    assert_eq!(lapsed.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    applied(lapsed.complete(late, b"late").await);

    let claim = TestClaim::new();
    let token = held.acquire(claim, 1).await;
    held.assert_mismatch(claim.owner).await;
    held.in_flight(TestClaim::new()).await;
    applied(held.complete(token, b"done").await);

    let token = completed.acquire(claim, 1).await;
    applied(completed.complete(token, b"done").await);
    completed.assert_mismatch(claim.owner).await;
    completed.assert_replays(b"done").await;

    let token = released.acquire(claim, 1).await;
    applied(released.release(token).await);
    released.assert_mismatch(claim.owner).await;
    released.acquire(TestClaim::new(), 2).await;

    let token = abandoned.acquire(claim, 1).await;
    applied(abandoned.abandon(token).await);
    abandoned.assert_mismatch(claim.owner).await;
    assert_eq!(abandoned.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    abandoned.acquire(TestClaim::new(), 2).await;
}

/// T2: a fingerprint with one changed bit is a mismatch.
pub async fn every_fingerprint_bit_counts<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    applied(subject.complete(subject.acquire(TestClaim::new(), 1).await, b"done").await);
    for (at, bit) in [(0, 0x80), (0, 1), (15, 1), (16, 1), (31, 0x80), (31, 1)] {
        let mut bytes = subject.fingerprint.0;
        bytes[at] ^= bit;
        let other =
            super::candidate::Subject { fingerprint: Fingerprint(bytes), ..subject.clone() };
        assert_eq!(other.claim(TestClaim::new()).await, Claim::Mismatch, "byte {at}, bit {bit}");
    }
    subject.assert_replays(b"done").await;
}

/// T7: a released key is acquired with either kind of takeover, because a release is not an
/// interruption.
pub async fn a_released_key_is_claimed_again<S: Store + Clone>(candidate: Candidate<S>) {
    for again in TestClaim::both() {
        let subject = candidate.fresh();
        let first = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.release(first).await);
        let second = subject.acquire(again, 2).await;
        assert!(second.fence > first.fence, "{second:?} after {first:?}");
        subject.in_flight(TestClaim::new()).await;
        applied(subject.complete(second, b"done").await);
    }
    // A claim by the owner that released the key is a new claim too.
    let (subject, claim) = (candidate.fresh(), TestClaim::new());
    let first = subject.acquire(claim, 1).await;
    applied(subject.release(first).await);
    let second = subject.acquire(claim, 2).await;
    assert!(second.fence > first.fence, "{second:?} after {first:?}");
    subject.assert_fenced(first).await;
}

/// T2: a released key keeps its fingerprint.
pub async fn a_released_key_keeps_its_fingerprint<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    for attempt in 1..4 {
        let claim = TestClaim::new();
        let token = subject.acquire(claim, attempt).await;
        applied(subject.release(token).await);
        subject.assert_mismatch(claim.owner).await;
    }
}

/// T11, T6a: a claim takes over an abandoned key at once.
pub async fn an_abandoned_key_is_taken_over_at_once<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let first = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.abandon(first).await);
    let second = subject.acquire(TestClaim::new(), 2).await;
    assert!(second.fence > first.fence, "{second:?} after {first:?}");
    subject.in_flight(TestClaim::new()).await;
    subject.assert_fenced(first).await;
    applied(subject.complete(second, b"done").await);
}

/// T11, T6b: without takeover an abandoned key stays interrupted.
pub async fn an_abandoned_key_stays_interrupted<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let first = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.abandon(first).await);
    for _ in 0..3 {
        let claim = subject.claim(TestClaim::new().never()).await;
        assert_eq!(claim, Claim::Interrupted { attempt: 1 });
    }
    let second = subject.acquire(TestClaim::new(), 2).await;
    applied(subject.abandon(second).await);
    assert_eq!(subject.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 2 });
    // The last owner may still complete.
    applied(subject.complete(second, b"found out").await);
    subject.assert_replays(b"found out").await;
}

/// The attempt counts every claim of a live record, after a release and after an abandonment.
pub async fn attempts_are_counted<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    for attempt in 1..=10 {
        let token = subject.acquire(TestClaim::new(), attempt).await;
        let ended = if attempt % 2 == 0 {
            subject.abandon(token).await
        } else {
            subject.release(token).await
        };
        assert_eq!(ended, WriteOutcome::Applied);
    }
}

/// All 128 bits of an owner are compared and returned.
pub async fn all_128_bits_of_an_owner_count<S: Store + Clone>(candidate: Candidate<S>) {
    for owner in [0, 1, u128::MAX, 1 << 127, u128::from(u64::MAX), 1 << 64, i64::MAX as u128] {
        let (subject, claim) = (candidate.fresh(), TestClaim::new().owner(owner));
        let token = subject.acquire(claim, 1).await;
        for bit in [0, 63, 64, 127] {
            let mut other = token;
            other.owner ^= 1 << bit;
            subject.assert_fenced(other).await;
            subject.in_flight(claim.owner(other.owner)).await;
        }
        assert_eq!(subject.acquire(claim, 1).await, token);
        applied(subject.complete(token, b"done").await);
    }
}

/// A claim that is not acquired changes neither lease, retention, owner nor label.
pub async fn a_rejected_claim_changes_nothing<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let claim = TestClaim::new().lease(SHORT).retention(DAY).label("first");
    let token = subject.acquire(claim, 1).await;
    for other in TestClaim::both() {
        subject.in_flight(other.label("second")).await;
        subject.assert_mismatch(claim.owner).await;
    }
    outlast(SHORT).await;
    for _ in 0..2 {
        let claim = subject.claim(TestClaim::new().never().label("second")).await;
        assert_eq!(claim, Claim::Interrupted { attempt: 1 }, "the lease of the first claim");
    }
    let listed = candidate.interrupted(usize::MAX).await;
    let ours = listed.iter().find(|other| other.key == subject.key).expect("an interrupted claim");
    assert_eq!((&*ours.label, ours.attempt), ("first", 1));
    applied(subject.complete(token, b"done").await);
}

/// All handles of a store share records, identity and properties.
pub async fn handles_share_one_store<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let other = Candidate { store: candidate.store.clone(), keys: candidate.keys };
    assert_eq!(other.store.id(), candidate.store.id(), "another handle of the store");
    assert_eq!(other.store.caps(), candidate.store.caps());
    let token = subject.acquire(TestClaim::new(), 1).await;
    let subject = super::candidate::Subject { store: other.store, ..subject };
    subject.in_flight(TestClaim::new()).await;
    applied(subject.complete(token, b"done").await);
    assert!(candidate.store.caps().max_outcome > 0, "`max_outcome` is zero");
}
