//! Concurrent steps on one key.

use super::candidate::{Candidate, SHORT, Subject, TestClaim, applied, outlast, race};
use crate::store::{Claim, Store, Token, WriteOutcome};

const RACERS: usize = 64;

/// One of many concurrent claims is acquired.
pub async fn racing_claims_have_one_winner<S: Store + Clone>(candidate: Candidate<S>) {
    for subject in candidate.fresh_keys() {
        let token = one_winner(&subject, 1).await;
        applied(subject.complete(token, b"done").await);
    }
}

/// One of many concurrent claims takes over an ended lease.
pub async fn racing_takeovers_have_one_winner<S: Store + Clone>(candidate: Candidate<S>) {
    let mut lapsed = Vec::new();
    for subject in candidate.fresh_keys() {
        let token = subject.acquire(TestClaim::new().lease(SHORT), 1).await;
        lapsed.push((subject, token));
    }
    outlast(SHORT).await;
    for (subject, lost) in lapsed {
        let token = one_winner(&subject, 2).await;
        assert!(token.fence > lost.fence, "{token:?} after {lost:?}");
        subject.assert_fenced(lost).await;
        applied(subject.complete(token, b"done").await);
    }
}

/// One of many concurrent claims acquires an expired record.
pub async fn racing_claims_of_expired_records_have_one_winner<S: Store + Clone>(
    candidate: Candidate<S>,
) {
    let mut expired = Vec::new();
    for subject in candidate.fresh_keys() {
        let token = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.complete_for(token, b"old", SHORT).await);
        expired.push((subject, token));
    }
    outlast(SHORT).await;
    for (subject, old) in expired {
        let token = one_winner(&subject, 1).await;
        assert!(token.fence > old.fence, "{token:?} after {old:?}");
        applied(subject.complete(token, b"new").await);
        subject.assert_replays(b"new").await;
    }
}

/// One of many concurrent claims acquires a released record.
pub async fn racing_claims_of_released_records_have_one_winner<S: Store + Clone>(
    candidate: Candidate<S>,
) {
    for subject in candidate.fresh_keys() {
        let first = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.release(first).await);
        let token = one_winner(&subject, 2).await;
        assert!(token.fence > first.fence, "{token:?} after {first:?}");
        assert_eq!(subject.with_other_fingerprint().claim(TestClaim::new()).await, Claim::Mismatch);
    }
}

/// T4: concurrent claims of one owner return the same token.
pub async fn racing_repeated_claims_get_one_token<S: Store + Clone>(candidate: Candidate<S>) {
    for subject in candidate.fresh_keys() {
        let claim = TestClaim::new();
        let racers = (0..8).map(|_| {
            let subject = subject.clone();
            async move { subject.acquire(claim, 1).await }
        });
        let tokens = race(racers).await;
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        applied(subject.complete(tokens[0], b"done").await);
    }
}

/// Of concurrent claims with two fingerprints, one claim is acquired.
pub async fn racing_fingerprints_have_one_winner<S: Store + Clone>(candidate: Candidate<S>) {
    for subject in candidate.fresh_keys() {
        let uses = [subject.clone(), subject.with_other_fingerprint()];
        let racers = (0..16).map(|racer| {
            let subject = uses[racer % 2].clone();
            async move { (racer % 2, subject.claim(TestClaim::new()).await) }
        });
        let claims = race(racers).await;
        let is_won = |(_, claim): &&(usize, Claim)| matches!(claim, Claim::Acquired { .. });
        let winners: Vec<_> = claims.iter().filter(is_won).collect();
        assert_eq!(winners.len(), 1, "{claims:?}");
        let first = winners[0].0;
        for (other, claim) in &claims {
            let is_right = match claim {
                Claim::Acquired { .. } | Claim::InFlight { .. } => *other == first,
                claim => *claim == Claim::Mismatch && *other != first,
            };
            assert!(is_right, "{claims:?}");
        }
    }
}

/// Either the late completion or a takeover succeeds, never both.
pub async fn a_late_completion_races_a_takeover<S: Store + Clone>(candidate: Candidate<S>) {
    for subject in candidate.fresh_keys() {
        let late = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.abandon(late).await);
        let racers = (0..8).map(|racer| {
            let subject = subject.clone();
            async move {
                if racer == 4 {
                    return Err(subject.complete(late, b"late").await);
                }
                Ok(subject.claim(TestClaim::new()).await)
            }
        });
        let ends = race(racers).await;
        let is_complete = ends.iter().any(|end| matches!(end, Err(WriteOutcome::Applied)));
        let taken = ends.iter().filter(|end| matches!(end, Ok(Claim::Acquired { .. }))).count();
        assert_eq!(taken, usize::from(!is_complete), "{ends:?}");
        if is_complete {
            let has_outcome = |end: &_| matches!(end, Err(_) | Ok(Claim::Replay(_)));
            assert!(ends.iter().all(has_outcome), "{ends:?}");
            subject.assert_replays(b"late").await;
        } else {
            subject.assert_fenced(late).await;
            subject.in_flight(TestClaim::new()).await;
        }
    }
}

/// Either the release or the completion is applied, never both.
pub async fn a_release_races_a_completion<S: Store + Clone>(candidate: Candidate<S>) {
    for subject in candidate.fresh_keys() {
        let token = subject.acquire(TestClaim::new(), 1).await;
        let racers = [true, false].map(|is_release| {
            let subject = subject.clone();
            async move {
                if is_release {
                    subject.release(token).await
                } else {
                    subject.complete(token, b"done").await
                }
            }
        });
        match *race(racers).await {
            [WriteOutcome::Applied, WriteOutcome::Fenced] => {
                subject.acquire(TestClaim::new(), 2).await;
            }
            [WriteOutcome::Fenced, WriteOutcome::Applied] => subject.assert_replays(b"done").await,
            ref other => panic!("release and completion: {other:?}"),
        }
    }
}

/// Asserts that one of many concurrent claims is acquired with attempt `expected`. Returns its
/// token.
async fn one_winner<S: Store + Clone>(subject: &Subject<S>, expected: u32) -> Token {
    let racers = (0..RACERS).map(|_| {
        let subject = subject.clone();
        async move { subject.claim(TestClaim::new()).await }
    });
    let mut winner = None;
    for claim in race(racers).await {
        match claim {
            Claim::Acquired { token, attempt } => {
                assert_eq!(attempt, expected, "the attempt");
                assert_eq!(winner.replace(token), None, "two winners");
            }
            Claim::InFlight { .. } => {}
            other => panic!("unexpected claim of a racer: {other:?}"),
        }
    }
    winner.expect("a winner")
}
