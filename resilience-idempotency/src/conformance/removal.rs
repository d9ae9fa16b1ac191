//! What is taken away, and what is listed.
#![expect(clippy::missing_panics_doc, reason = "a case panics where the store is wrong")]

use super::candidate::{Ask, Candidate, DAY, SHORT, Subject, answered, applied, outlast, race};
use crate::store::{Claim, Store, Token};

/// T13.
pub async fn purge_removes_the_expired<S: Store + Clone>(on: Candidate<S>) {
    let (completed, claimed, released) = (on.fresh(), on.fresh(), on.fresh());
    let token = completed.acquire(Ask::new(), 1).await;
    applied(completed.complete_for(token, b"done", SHORT).await);
    let ask = Ask::new().lease(SHORT).retention(SHORT + SHORT / 2);
    claimed.acquire(ask, 1).await;
    let token = released.acquire(ask, 1).await;
    applied(released.release(token).await);
    outlast(SHORT + SHORT / 2).await;
    on.purge_all().await;
    for subject in [completed, claimed, released] {
        assert!(!subject.forget().await, "an expired record is still there");
    }
}

/// T13: nothing else, in whichever state.
pub async fn purge_keeps_what_is_live<S: Store + Clone>(on: Candidate<S>) {
    let states = States::new(&on).await;
    on.purge_all().await;
    states.are_kept().await;
}

/// The limit is one.
pub async fn purge_removes_no_more_than_asked<S: Store + Clone>(on: Candidate<S>) {
    let mut expired = Vec::new();
    for _ in 0..5 {
        let subject = on.fresh();
        let token = subject.acquire(Ask::new(), 1).await;
        applied(subject.complete_for(token, b"done", SHORT).await);
        expired.push(subject);
    }
    outlast(SHORT).await;
    for limit in [0, 1, 2] {
        let purged = answered("purge", on.store.purge(limit).await);
        assert!(purged <= limit, "{purged} of at most {limit}");
    }
    on.purge_all().await;
    for subject in expired {
        assert!(!subject.forget().await, "an expired record is still there");
    }
}

/// T1 against T13: a record that was claimed anew is not the one that had expired.
pub async fn purge_races_claims<S: Store + Clone>(on: Candidate<S>) {
    let subjects = on.fresh_keys();
    for subject in &subjects {
        let token = subject.acquire(Ask::new(), 1).await;
        applied(subject.complete_for(token, b"old", SHORT).await);
    }
    outlast(SHORT).await;
    for subject in subjects {
        let racers = (0..9).map(|racer| {
            let (subject, on) = (subject.clone(), on.clone());
            async move {
                if racer % 3 == 1 {
                    on.purge_all().await;
                    return None;
                }
                Some(subject.claim(Ask::new()).await)
            }
        });
        let claims: Vec<_> = race(racers).await.into_iter().flatten().collect();
        let tokens: Vec<_> = claims.iter().filter_map(token_of).collect();
        assert_eq!(tokens.len(), 1, "{claims:?}");
        applied(subject.complete(tokens[0], b"new").await);
        on.purge_all().await;
        subject.replays(b"new").await;
    }
}

fn token_of(claim: &Claim) -> Option<Token> {
    match claim {
        Claim::Acquired { token, attempt: 1 } => Some(*token),
        _ => None,
    }
}

/// In every state, and with it all that was known of it.
pub async fn a_forgotten_key_is_absent<S: Store + Clone>(on: Candidate<S>) {
    assert!(!on.fresh().forget().await, "there was nothing to forget");
    let states = States::new(&on).await;
    for (subject, token) in states.each() {
        assert!(subject.forget().await);
        assert!(!subject.forget().await, "it was forgotten already");
        subject.refuses_writes_of(token).await;
        let next = subject.about_something_else().acquire(Ask::new().never(), 1).await;
        assert!(next.fence > token.fence, "{next:?} after {token:?}");
        subject.refuses_writes_of(token).await;
    }
}

/// Claims that nobody ended, with what people want to know of them.
pub async fn the_interrupted_are_listed<S: Store + Clone>(on: Candidate<S>) {
    const LABEL: &str = "payments.charge 'quoted' \"twice\" \\ {} größer";
    let (lapsed, abandoned) = (on.fresh(), on.fresh());
    lapsed.acquire(Ask::new().lease(SHORT).label(LABEL), 1).await;
    let token = abandoned.acquire(Ask::new().label("first"), 1).await;
    applied(abandoned.release(token).await);
    let token = abandoned.acquire(Ask::new().label("second"), 2).await;
    applied(abandoned.abandon(token).await);
    outlast(SHORT).await;
    let listed = on.interrupted(usize::MAX).await;
    let find = |subject: &Subject<S>| {
        let ours: Vec<_> = listed.iter().filter(|other| other.key == subject.key).collect();
        assert_eq!(ours.len(), 1, "listed once: {ours:?}");
        (ours[0].label.clone(), ours[0].attempt)
    };
    assert_eq!(find(&lapsed), (LABEL.to_owned(), 1));
    assert_eq!(find(&abandoned).1, 2);
    for limit in [0, 1] {
        let listed = on.interrupted(limit).await.len();
        assert!(listed <= limit, "{listed} of at most {limit}");
    }
}

/// Neither what runs, nor what has ended, nor what has expired.
pub async fn what_goes_on_is_not_listed<S: Store + Clone>(on: Candidate<S>) {
    let states = States::new(&on).await;
    let (taken, late, expired) = (on.fresh(), on.fresh(), on.fresh());
    for subject in [&taken, &late] {
        subject.acquire(Ask::new().lease(SHORT), 1).await;
    }
    let ask = Ask::new().lease(SHORT).retention(SHORT + SHORT / 2);
    expired.acquire(ask, 1).await;
    outlast(SHORT + SHORT / 2).await;
    let Claim::Acquired { token, .. } = taken.claim(Ask::new()).await else {
        panic!("a lapsed claim was not taken over")
    };
    let other = late.acquire(Ask::new(), 2).await;
    applied(late.complete(other, b"done").await);
    let listed = on.interrupted(usize::MAX).await;
    let is_listed = |subject: &Subject<S>| listed.iter().any(|other| other.key == subject.key);
    for subject in
        [&taken, &late, &expired, &states.held.0, &states.completed.0, &states.released.0]
    {
        assert!(!is_listed(subject), "{subject:?}");
    }
    assert!(is_listed(&states.abandoned.0), "the abandoned one is");
    applied(taken.complete(token, b"done").await);
    states.are_kept().await;
}

/// One live record in each state.
struct States<S> {
    held: (Subject<S>, Token),
    completed: (Subject<S>, Token),
    released: (Subject<S>, Token),
    abandoned: (Subject<S>, Token),
}

impl<S: Store + Clone> States<S> {
    async fn new(on: &Candidate<S>) -> Self {
        let claimed = async || {
            let subject = on.fresh();
            let token = subject.acquire(Ask::new().retention(DAY), 1).await;
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

    async fn are_kept(self) {
        self.held.0.in_flight(Ask::new()).await;
        applied(self.held.0.complete(self.held.1, b"held").await);
        self.completed.0.replays(b"done").await;
        let claim = self.abandoned.0.claim(Ask::new().never()).await;
        assert_eq!(claim, Claim::Interrupted { attempt: 1 });
        self.released.0.acquire(Ask::new().never(), 2).await;
    }
}
