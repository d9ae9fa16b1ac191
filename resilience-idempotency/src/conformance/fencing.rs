//! Writes with the token of an earlier claim, and the order of fences.

use super::candidate::{Candidate, DAY, LONG, SHORT, Subject, TestClaim, applied, fenced, outlast};
use crate::store::{Claim, Store, Token};

/// T12: an owner that lost its claim cannot write, whatever the state of the new claim.
pub async fn a_lost_owner_changes_nothing<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let first = subject.acquire(TestClaim::new().lease(SHORT), 1).await;
    outlast(SHORT).await;
    let second = subject.acquire(TestClaim::new(), 2).await;
    subject.assert_fenced(first).await;
    subject.in_flight(TestClaim::new()).await;

    applied(subject.release(second).await);
    subject.assert_fenced(first).await;

    let third = subject.acquire(TestClaim::new(), 3).await;
    applied(subject.complete(third, b"third").await);
    subject.assert_fenced(first).await;
    subject.assert_fenced(second).await;
    subject.assert_replays(b"third").await;
}

/// T4: an owner that lost its claim is treated as a new claimant.
pub async fn a_lost_owner_sees_the_new_claim<S: Store + Clone>(candidate: Candidate<S>) {
    let (subject, lost) = (candidate.fresh(), TestClaim::new());
    let first = subject.acquire(lost, 1).await;
    applied(subject.abandon(first).await);
    let second = subject.acquire(TestClaim::new(), 2).await;
    subject.in_flight(lost).await;
    applied(subject.complete(second, b"done").await);
    assert_eq!(subject.claim(lost).await, Claim::Replay((*b"done").into()));
}

/// T9: a write after the lease is applied if no other call has taken over.
pub async fn a_late_completion_is_applied<S: Store + Clone>(candidate: Candidate<S>) {
    let (completed, released) = (candidate.fresh(), candidate.fresh());
    let token = completed.acquire(TestClaim::new().lease(SHORT), 1).await;
    let other = released.acquire(TestClaim::new().lease(SHORT), 1).await;
    outlast(SHORT).await;
    assert_eq!(completed.claim(TestClaim::new().never()).await, Claim::Interrupted { attempt: 1 });
    applied(completed.complete(token, b"late").await);
    completed.assert_replays(b"late").await;
    applied(released.release(other).await);
    // The release ended the interruption.
    released.acquire(TestClaim::new().never(), 2).await;
}

/// T8: a renewal sets the lease to start now.
pub async fn a_renewed_lease_is_extended<S: Store + Clone>(candidate: Candidate<S>) {
    let (longer, shorter) = (candidate.fresh(), candidate.fresh());
    let token = longer.acquire(TestClaim::new().lease(SHORT), 1).await;
    applied(longer.renew(token, LONG).await);
    let other = shorter.acquire(TestClaim::new().lease(LONG), 1).await;
    applied(shorter.renew(other, SHORT).await);
    outlast(SHORT).await;
    let left = longer.in_flight(TestClaim::new()).await;
    assert!(left > LONG / 2 && left <= LONG, "{left:?}");
    applied(longer.complete(token, b"done").await);
    // A renewal may also shorten the lease.
    shorter.acquire(TestClaim::new(), 2).await;
}

/// T8: a renewal after the end of the lease is applied, because only the token counts.
pub async fn an_ended_lease_can_be_renewed<S: Store + Clone>(candidate: Candidate<S>) {
    let (lapsed, abandoned) = (candidate.fresh(), candidate.fresh());
    let token = lapsed.acquire(TestClaim::new().lease(SHORT), 1).await;
    outlast(SHORT).await;
    applied(lapsed.renew(token, LONG).await);
    lapsed.in_flight(TestClaim::new()).await;

    let token = abandoned.acquire(TestClaim::new(), 1).await;
    applied(abandoned.abandon(token).await);
    applied(abandoned.renew(token, LONG).await);
    abandoned.in_flight(TestClaim::new()).await;
}

/// A completed record rejects all other writes of its owner.
pub async fn a_completed_record_stays_completed<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.complete(token, b"done").await);
    fenced(subject.renew(token, LONG).await);
    fenced(subject.release(token).await);
    fenced(subject.abandon(token).await);
    subject.assert_replays(b"done").await;
}

/// A released record rejects all other writes of its owner.
pub async fn a_released_record_stays_released<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    applied(subject.release(token).await);
    fenced(subject.complete(token, b"too late").await);
    fenced(subject.renew(token, LONG).await);
    fenced(subject.abandon(token).await);
    subject.acquire(TestClaim::new().never(), 2).await;
}

/// Writes compare owner and fence.
pub async fn owner_and_fence_must_both_match<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let token = subject.acquire(TestClaim::new(), 1).await;
    let Token { owner, fence } = token;
    let near = [fence.wrapping_sub(1), fence.wrapping_add(1), 0, u64::MAX, fence ^ 1 << 63];
    for fence in near.into_iter().filter(|other| *other != fence) {
        subject.assert_fenced(Token { owner, fence }).await;
    }
    subject.assert_fenced(Token { owner: TestClaim::new().owner, fence }).await;
    subject.in_flight(TestClaim::new()).await;
    applied(subject.complete(token, b"done").await);
    subject.assert_fenced(Token { owner, fence: fence.wrapping_add(1) }).await;
    subject.assert_fenced(Token { owner: TestClaim::new().owner, fence }).await;
    subject.assert_replays(b"done").await;
}

/// T12: a write to an absent key creates no record.
pub async fn writes_create_no_records<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    subject.assert_fenced(Token { owner: TestClaim::new().owner, fence: 1 }).await;
    assert!(!subject.forget().await, "a write created a record");
    subject.acquire(TestClaim::new(), 1).await;
}

/// Each claim of a key has a higher fence.
pub async fn fences_rise<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let mut last = None;
    for attempt in 1..=20 {
        let token = subject.acquire(TestClaim::new(), attempt).await;
        rises(&mut last, token);
        match attempt % 3 {
            0 => applied(subject.release(token).await),
            1 => applied(subject.abandon(token).await),
            _ => {
                applied(subject.renew(token, LONG).await);
                applied(subject.abandon(token).await);
            }
        }
    }
    let token = subject.acquire(TestClaim::new().lease(SHORT), 21).await;
    rises(&mut last, token);
    outlast(SHORT).await;
    rises(&mut last, subject.acquire(TestClaim::new(), 22).await);
}

/// The fence of a claim after an expiry is higher, with and without a purge.
pub async fn fences_rise_across_expiry<S: Store + Clone>(candidate: Candidate<S>) {
    let (kept, purged) = (candidate.fresh(), candidate.fresh());
    let mut last = [None, None];
    for round in 0..2 {
        for (subject, last) in [&kept, &purged].into_iter().zip(&mut last) {
            let token = acquire_anew(subject).await;
            rises(last, token);
            applied(subject.complete_for(token, b"done", SHORT).await);
        }
        outlast(SHORT).await;
        if round == 0 {
            rises(&mut last[0], acquire_anew(&kept).await);
            assert!(kept.forget().await);
            candidate.purge_all().await;
        }
    }
    for (subject, last) in [&kept, &purged].into_iter().zip(&mut last) {
        rises(last, acquire_anew(subject).await);
    }
}

/// The fence of a claim after a `forget` is higher, even in quick succession.
pub async fn fences_rise_across_removal<S: Store + Clone>(candidate: Candidate<S>) {
    let subject = candidate.fresh();
    let mut last = None;
    for _ in 0..20 {
        rises(&mut last, acquire_anew(&subject).await);
        assert!(subject.forget().await);
    }
}

async fn acquire_anew<S: Store + Clone>(subject: &Subject<S>) -> Token {
    subject.acquire(TestClaim::new().retention(DAY), 1).await
}

#[track_caller]
fn rises(last: &mut Option<u64>, token: Token) {
    assert!(last.is_none_or(|last| token.fence > last), "{} after {last:?}", token.fence);
    *last = Some(token.fence);
}
