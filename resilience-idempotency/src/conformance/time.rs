//! Ends of leases and retentions. A store has its own clock, so a case checks each end from
//! outside.

use core::time::Duration;
use std::time::Instant;

use super::candidate::{Candidate, DAY, LONG, SHORT, TestClaim, applied, outlast, pass};
use crate::store::{Claim, Store};

/// A lease ends neither before nor after its time.
pub async fn a_lease_ends_on_time<S: Store + Clone>(candidate: Candidate<S>) {
    let (rerun, never) = (candidate.fresh(), candidate.fresh());
    let begin = Instant::now();
    let claim = TestClaim::new().lease(SHORT);
    rerun.acquire(claim, 1).await;
    never.acquire(claim, 1).await;
    // Both claims started before this time, so their leases have ended after the wait.
    let end = async || pass(SHORT).await;
    for subject in [&rerun, &never] {
        let claim = subject.claim(TestClaim::new().never()).await;
        let in_time = begin.elapsed() < SHORT;
        assert!(!in_time || matches!(claim, Claim::InFlight { .. }), "too early: {claim:?}");
    }
    end().await;
    assert_eq!(never.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    rerun.acquire(TestClaim::new(), 2).await;
}

/// A wait for the reported rest of a lease ends after the lease.
pub async fn the_remaining_lease_is_reported<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    subject.acquire(TestClaim::new().lease(SHORT * 2), 1).await;
    let since = Instant::now();
    pass(SHORT).await;
    match subject.claim(TestClaim::new().never()).await {
        Claim::InFlight { lease_left } => {
            // Half of the lease has passed since the reply, so at most the other half is left.
            assert!(lease_left <= SHORT + Duration::from_millis(2), "{lease_left:?} are left");
            assert!(!lease_left.is_zero(), "a lease in flight has time left");
            pass(lease_left).await;
        }
        claim => assert!(since.elapsed() >= SHORT * 2, "too early: {claim:?}"),
    }
    assert_eq!(subject.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
}

/// A retention ends neither before nor after its time.
pub async fn an_outcome_expires_on_time<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    let begin = Instant::now();
    applied(subject.complete_for(token, b"done", SHORT).await);
    let end = async || pass(SHORT).await;
    let claim = subject.claim(TestClaim::new().lease(SHORT)).await;
    let in_time = begin.elapsed() < SHORT;
    assert!(!in_time || claim == Claim::Replay((*b"done").into()), "too early: {claim:?}");
    if in_time {
        end().await;
        // The expired fingerprint no longer counts.
        subject.with_other_fingerprint().acquire(TestClaim::new(), 1).await;
        assert_eq!(subject.claim(TestClaim::new()).await, Claim::Mismatch);
    }
}

/// The retention starts at the completion.
pub async fn retention_starts_at_completion<S: Store + Clone>(candidate: Candidate<S>) {
    let (longer, shorter) = (candidate.fresh(), candidate.fresh());
    let claim = TestClaim::new().lease(SHORT).retention(SHORT * 2);
    let token = longer.acquire(claim, 1).await;
    applied(longer.complete_for(token, b"done", LONG).await);
    let token = shorter.acquire(TestClaim::new(), 1).await;
    applied(shorter.complete_for(token, b"done", SHORT).await);
    outlast(SHORT * 2).await;
    longer.assert_replays(b"done").await;
    shorter.acquire(TestClaim::new(), 1).await;
}

/// A claimed record does not expire before the end of the lease.
pub async fn a_claim_does_not_expire_before_its_lease<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new().lease(LONG).retention(SHORT), 1).await;
    outlast(SHORT).await;
    subject.in_flight(TestClaim::new()).await;
    assert_eq!(subject.with_other_fingerprint().claim(TestClaim::new()).await, Claim::Mismatch);
    applied(subject.complete(token, b"done").await);
    subject.assert_replays(b"done").await;
}

/// T8: a renewal beyond the retention extends the record.
pub async fn a_renewed_claim_does_not_expire<S: Store + Clone>(candidate: Candidate<S>) {
    let (longer, shorter) = (candidate.fresh(), candidate.fresh());
    let token = longer.acquire(TestClaim::new().lease(SHORT).retention(SHORT * 2), 1).await;
    applied(longer.renew(token, LONG).await);
    let other = shorter.acquire(TestClaim::new().retention(DAY), 1).await;
    applied(shorter.renew(other, SHORT).await);
    outlast(SHORT * 2).await;
    longer.in_flight(TestClaim::new()).await;
    applied(longer.complete(token, b"done").await);
    longer.assert_replays(b"done").await;
    // A shorter lease does not shorten the retention.
    assert_eq!(shorter.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
}

/// T1: an interrupted record expires.
pub async fn an_expired_claim_is_absent<S: Store + Clone>(candidate: Candidate<S>) {
    let (rerun, never) = (candidate.fresh(), candidate.fresh());
    for subject in [&rerun, &never] {
        subject.acquire(TestClaim::new().lease(SHORT).retention(SHORT + SHORT / 2), 1).await;
    }
    outlast(SHORT + SHORT / 2).await;
    rerun.acquire(TestClaim::new(), 1).await;
    never.with_other_fingerprint().acquire(TestClaim::new().never(), 1).await;
}

/// T1: a released record expires.
pub async fn an_expired_released_record_is_absent<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let mut token = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.release(token).await);
    token = subject.acquire(TestClaim::new().lease(SHORT).retention(SHORT + SHORT / 2), 2).await;
    applied(subject.release(token).await);
    outlast(SHORT + SHORT / 2).await;
    subject.with_other_fingerprint().acquire(TestClaim::new(), 1).await;
    subject.assert_fenced(token).await;
}

/// Durations beyond the range of the clock saturate.
pub async fn long_durations_saturate<S: Store + Clone>(candidate: Candidate<S>) {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    for time in [Duration::MAX, Duration::from_millis(u64::MAX), YEAR * 500] {
        let subject = candidate.fresh();
        let token = subject.acquire(TestClaim::new().lease(time).retention(time), 1).await;
        let left = subject.in_flight(TestClaim::new()).await;
        assert!(left > YEAR, "{left:?} of {time:?} are left");
        applied(subject.renew(token, time).await);
        assert!(subject.in_flight(TestClaim::new()).await > YEAR, "renewed");
        applied(subject.complete_for(token, b"done", time).await);
        candidate.purge_all().await;
        subject.assert_replays(b"done").await;

        let abandoned = candidate.fresh();
        let token = abandoned.acquire(TestClaim::new().lease(time).retention(time), 1).await;
        applied(abandoned.abandon(token).await);
        abandoned.acquire(TestClaim::new().lease(time).retention(time), 2).await;
    }
}

/// A wait for a change ends after the hint, for a claimed and for an absent key.
pub async fn a_wait_for_a_change_ends_at_its_hint<S: Store + Clone>(candidate: Candidate<S>) {
    let (held, absent) = (candidate.fresh(), candidate.fresh());
    held.acquire(TestClaim::new(), 1).await;
    let hint = SHORT / 4;
    for subject in [held, absent] {
        let begin = Instant::now();
        subject.store.changed(&subject.key, hint).await;
        assert!(begin.elapsed() < SHORT * 10, "{:?} for {hint:?}", begin.elapsed());
    }
}
