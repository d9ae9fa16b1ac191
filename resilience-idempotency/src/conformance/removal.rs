//! Purge, removal, and the list of interrupted calls.

use super::candidate::{
    Candidate, DAY, SHORT, Subject, TestClaim, applied, expect_answer, outlast, race,
};
use crate::store::{Claim, Store, Token};

/// T13: a purge removes expired records in every state.
pub async fn purge_removes_expired_records<S: Store + Clone>(candidate: Candidate<S>) {
    let (completed, claimed, released) = (candidate.fresh(), candidate.fresh(), candidate.fresh());
    let token = completed.acquire(TestClaim::new(), 1).await;
    applied(completed.complete_for(token, b"done", SHORT).await);
    let claim = TestClaim::new().lease(SHORT).retention(SHORT + SHORT / 2);
    claimed.acquire(claim, 1).await;
    let token = released.acquire(claim, 1).await;
    applied(released.release(token).await);
    outlast(SHORT + SHORT / 2).await;
    candidate.purge_all().await;
    for subject in [completed, claimed, released] {
        assert!(!subject.forget().await, "an expired record is not removed");
    }
}

/// T13: a purge keeps live records in every state.
pub async fn purge_keeps_live_records<S: Store + Clone>(candidate: Candidate<S>) {
    let states = States::new(&candidate).await;
    candidate.purge_all().await;
    states.assert_unchanged().await;
}

/// T13: a purge removes at most `limit` records.
pub async fn purge_respects_its_limit<S: Store + Clone>(candidate: Candidate<S>) {
    let mut expired = Vec::new();
    for _ in 0..5 {
        let subject = candidate.fresh();
        let token = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.complete_for(token, b"done", SHORT).await);
        expired.push(subject);
    }
    outlast(SHORT).await;
    for limit in [0, 1, 2] {
        let purged = expect_answer("purge", candidate.store.purge(limit).await);
        assert!(purged <= limit, "{purged} of at most {limit}");
    }
    candidate.purge_all().await;
    for subject in expired {
        assert!(!subject.forget().await, "an expired record is not removed");
    }
}

/// T1 against T13: a purge never removes a record that was claimed again.
pub async fn purge_races_claims<S: Store + Clone>(candidate: Candidate<S>) {
    let subjects = candidate.fresh_keys();
    for subject in &subjects {
        let token = subject.acquire(TestClaim::new(), 1).await;
        applied(subject.complete_for(token, b"old", SHORT).await);
    }
    outlast(SHORT).await;
    for subject in subjects {
        let racers = (0..9).map(|racer| {
            let (subject, candidate) = (subject.clone(), candidate.clone());
            async move {
                if racer % 3 == 1 {
                    candidate.purge_all().await;
                    return None;
                }
                Some(subject.claim(TestClaim::new()).await)
            }
        });
        let claims: Vec<_> = race(racers).await.into_iter().flatten().collect();
        let tokens: Vec<_> = claims.iter().filter_map(token_of).collect();
        assert_eq!(tokens.len(), 1, "{claims:?}");
        applied(subject.complete(tokens[0], b"new").await);
        candidate.purge_all().await;
        subject.assert_replays(b"new").await;
    }
}

fn token_of(claim: &Claim) -> Option<Token> {
    match claim {
        Claim::Acquired { token, attempt: 1 } => Some(*token),
        _ => None,
    }
}

/// A removed key is absent, whatever its state was.
pub async fn a_forgotten_key_is_absent<S: Store + Clone>(candidate: Candidate<S>) {
    assert!(!candidate.fresh().forget().await, "the key has no record");
    let states = States::new(&candidate).await;
    for (subject, token) in states.each() {
        assert!(subject.forget().await);
        assert!(!subject.forget().await, "the record is removed");
        subject.assert_fenced(token).await;
        let next = subject.with_other_fingerprint().acquire(TestClaim::new().never(), 1).await;
        assert!(next.fence > token.fence, "{next:?} after {token:?}");
        subject.assert_fenced(token).await;
    }
}

/// The list has label and attempt of each interrupted call.
pub async fn interrupted_claims_are_listed<S: Store + Clone>(candidate: Candidate<S>) {
    const LABEL: &str = "payments.charge 'quoted' \"twice\" \\ {} größer";
    let (lapsed, abandoned) = (candidate.fresh(), candidate.fresh());
    lapsed.acquire(TestClaim::new().lease(SHORT).label(LABEL), 1).await;
    let token = abandoned.acquire(TestClaim::new().label("first"), 1).await;
    applied(abandoned.release(token).await);
    let token = abandoned.acquire(TestClaim::new().label("second"), 2).await;
    applied(abandoned.abandon(token).await);
    outlast(SHORT).await;
    let listed = candidate.interrupted(usize::MAX).await;
    let find = |subject: &Subject<S>| {
        let ours: Vec<_> = listed.iter().filter(|other| other.key == subject.key).collect();
        assert_eq!(ours.len(), 1, "listed once: {ours:?}");
        (ours[0].label.clone(), ours[0].attempt)
    };
    assert_eq!(find(&lapsed), (LABEL.to_owned(), 1));
    assert_eq!(find(&abandoned).1, 2);
    for limit in [0, 1] {
        let listed = candidate.interrupted(limit).await.len();
        assert!(listed <= limit, "{listed} of at most {limit}");
    }
}

/// The list has no running, completed, released or expired call.
pub async fn only_interrupted_claims_are_listed<S: Store + Clone>(candidate: Candidate<S>) {
    let states = States::new(&candidate).await;
    let (taken, late, expired) = (candidate.fresh(), candidate.fresh(), candidate.fresh());
    for subject in [&taken, &late] {
        subject.acquire(TestClaim::new().lease(SHORT), 1).await;
    }
    let claim = TestClaim::new().lease(SHORT).retention(SHORT + SHORT / 2);
    expired.acquire(claim, 1).await;
    outlast(SHORT + SHORT / 2).await;
    let Claim::Acquired { token, .. } = taken.claim(TestClaim::new()).await else {
        panic!("a lapsed claim was not taken over")
    };
    let other = late.acquire(TestClaim::new(), 2).await;
    applied(late.complete(other, b"done").await);
    let listed = candidate.interrupted(usize::MAX).await;
    let is_listed = |subject: &Subject<S>| listed.iter().any(|other| other.key == subject.key);
    for subject in
        [&taken, &late, &expired, &states.held.0, &states.completed.0, &states.released.0]
    {
        assert!(!is_listed(subject), "{subject:?}");
    }
    assert!(is_listed(&states.abandoned.0), "the abandoned call is listed");
    applied(taken.complete(token, b"done").await);
    states.assert_unchanged().await;
}

/// One live record in each state.
struct States<S> {
    held: (Subject<S>, Token),
    completed: (Subject<S>, Token),
    released: (Subject<S>, Token),
    abandoned: (Subject<S>, Token),
}

impl<S: Store + Clone> States<S> {
    async fn new(candidate: &Candidate<S>) -> Self {
        let claimed = async || {
            let subject = candidate.fresh();
            let token = subject.acquire(TestClaim::new().retention(DAY), 1).await;
            (subject, token)
        };
        let (held, completed) = (claimed().await, claimed().await);
        let (released, abandoned) = (claimed().await, claimed().await);
        applied(completed.0.complete(completed.1, b"done").await);
        applied(released.0.release(released.1).await);
        applied(abandoned.0.abandon(abandoned.1).await);
        Self { held, completed, released, abandoned }
    }

    fn each(self) -> [(Subject<S>, Token); 4] {
        [self.held, self.completed, self.released, self.abandoned]
    }

    async fn assert_unchanged(self) {
        self.held.0.in_flight(TestClaim::new()).await;
        applied(self.held.0.complete(self.held.1, b"held").await);
        self.completed.0.assert_replays(b"done").await;
        let claim = self.abandoned.0.claim(TestClaim::new().never()).await;
        assert_eq!(claim, Claim::Interrupted { attempt: 1 });
        self.released.0.acquire(TestClaim::new().never(), 2).await;
    }
}
