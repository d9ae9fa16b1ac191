//! Shared claims: one request to the store answers all concurrent claims of a key in this process.
//!
//! Many duplicates at once would otherwise queue for the connections of the store, and the last
//! duplicate would wait longer than `store_timeout`. A claim that the store answers at its first
//! poll, as the memory store does, is not shared.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::followers::Followers;
use crate::key::{Fingerprint, RecordKey};
use crate::store::{Claim, StoreId, Takeover};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use crate::wait::timeout;
use resilience_core::__internal::{Mutex, lock};

/// The subject of a claim. Claims of equal subjects have equal answers, except that a single claim
/// is acquired.
pub(super) type Subject = (StoreId, RecordKey, Fingerprint, Takeover);

/// The claims under way.
struct Claims {
    pending: Mutex<HashMap<Subject, Arc<Shared>>>,
    /// The number of pending claims, so that a claim without a rival costs a single load.
    count: AtomicUsize,
}

impl Claims {
    fn new() -> Self {
        Self { pending: Mutex::new(HashMap::new()), count: AtomicUsize::new(0) }
    }

    /// Returns the claims of this process.
    fn of_process() -> &'static Self {
        static CLAIMS: LazyLock<Claims> = LazyLock::new(Claims::new);
        &CLAIMS
    }

    fn pending(&self, subject: &Subject) -> Option<Arc<Shared>> {
        if self.count.load(Relaxed) == 0 {
            return None;
        }
        lock(&self.pending).get(subject).cloned()
    }
}

/// A claim under way, and the wakers of the calls that share its answer.
struct Shared(Mutex<State>);

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::default())))
    }
}

#[derive(Default)]
struct State {
    end: Option<End>,
    followers: Followers,
}

/// The end of a shared claim.
#[derive(Clone)]
enum End {
    Answer(Answer),
    /// The claiming call was dropped without an answer.
    Left,
}

/// The answer to a shared claim, for the other calls.
#[derive(Clone)]
enum Answer {
    Replay(Arc<[u8]>),
    InFlight { lease_left: Duration },
    Mismatch,
    Interrupted { attempt: u32 },
    Failed(StoreErrorKind),
}

impl Answer {
    /// Returns the answer for the other calls. `lease` is the lease of the claiming call.
    fn of(claim: &StoreResult<Claim>, lease: Duration) -> Self {
        match claim {
            Ok(Claim::Acquired { .. }) => Self::InFlight { lease_left: lease },
            Ok(Claim::Replay(bytes)) => Self::Replay(Arc::clone(bytes)),
            Ok(Claim::InFlight { lease_left }) => Self::InFlight { lease_left: *lease_left },
            Ok(Claim::Mismatch) => Self::Mismatch,
            Ok(Claim::Interrupted { attempt }) => Self::Interrupted { attempt: *attempt },
            Err(error) => Self::Failed(error.kind()),
        }
    }

    fn claim(self) -> StoreResult<Claim> {
        Ok(match self {
            Self::Replay(bytes) => Claim::Replay(bytes),
            Self::InFlight { lease_left } => Claim::InFlight { lease_left },
            Self::Mismatch => Claim::Mismatch,
            Self::Interrupted { attempt } => Claim::Interrupted { attempt },
            Self::Failed(kind) => {
                let source = "the claim of a concurrent call with the same key failed";
                return Err(StoreError::with(kind, source));
            }
        })
    }
}

/// Claims a key through `claim`, or takes the answer of a concurrent claim. Waits for another
/// claim at most `limit`.
pub(super) fn share(
    subject: Subject,
    lease: Duration,
    limit: Duration,
    mut claim: Pin<&mut (impl Future<Output = StoreResult<Claim>> + Send)>,
) -> impl Future<Output = StoreResult<Claim>> + Send {
    let claims = Claims::of_process();
    async move {
        while let Some(shared) = claims.pending(&subject) {
            // Boxed, because a rival is rare.
            match Box::pin(timeout(limit, Follower::end(shared))).await {
                Some(End::Answer(answer)) => return answer.claim(),
                Some(End::Left) => {}
                None => break,
            }
        }
        let first = poll_fn(|cx| Poll::Ready(claim.as_mut().poll(cx))).await;
        if let Poll::Ready(answer) = first {
            return answer;
        }
        let leader = Leader::register(claims, subject);
        let answer = claim.await;
        if let Some(leader) = leader {
            leader.publish(End::Answer(Answer::of(&answer, lease)));
        }
        answer
    }
}

/// The call that waits for the store.
struct Leader {
    claims: &'static Claims,
    subject: Subject,
    shared: Arc<Shared>,
}

impl Leader {
    /// Registers a claim, unless another claim of the subject is registered.
    fn register(claims: &'static Claims, subject: Subject) -> Option<Self> {
        let mut pending = lock(&claims.pending);
        if pending.contains_key(&subject) {
            return None;
        }
        let shared = Shared::new();
        pending.insert(subject, Arc::clone(&shared));
        claims.count.fetch_add(1, Relaxed);
        drop(pending);
        Some(Self { claims, subject, shared })
    }

    fn publish(&self, end: End) {
        if lock(&self.shared.0).end.is_some() {
            return;
        }
        // A later call claims again, because the record may change meanwhile. Removed before the
        // end: a follower would find the ended claim again, and spin until the removal.
        let removed = lock(&self.claims.pending).remove(&self.subject);
        self.claims.count.fetch_sub(1, Relaxed);
        drop(removed);
        let mut state = lock(&self.shared.0);
        state.end = Some(end);
        let followers = state.followers.take();
        drop(state);
        followers.for_each(Waker::wake);
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.publish(End::Left);
    }
}

/// A call that waits for the answer of the leader.
struct Follower {
    shared: Arc<Shared>,
    number: Option<u64>,
}

impl Follower {
    async fn end(shared: Arc<Shared>) -> End {
        let mut follower = Self { shared, number: None };
        poll_fn(|cx| follower.poll(cx)).await
    }

    fn poll(&mut self, cx: &Context<'_>) -> Poll<End> {
        // Cloned before the lock, because `clone` of a waker is foreign code.
        let waker = cx.waker().clone();
        let mut state = lock(&self.shared.0);
        if let Some(end) = &state.end {
            return Poll::Ready(end.clone());
        }
        let previous = state.followers.set(&mut self.number, waker);
        drop(state);
        drop(previous);
        Poll::Pending
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let waker = lock(&self.shared.0).followers.remove(self.number);
        drop(waker);
    }
}

#[cfg(all(test, resilience_loom))]
mod interleavings {
    use std::task::Wake;

    use loom::sync::Condvar;
    use loom::sync::atomic::{AtomicUsize as Count, Ordering::SeqCst};
    use loom::thread;

    use super::*;

    struct WakeFlag(Mutex<bool>, Condvar);

    impl Wake for WakeFlag {
        fn wake(self: Arc<Self>) {
            *lock(&self.0) = true;
            self.1.notify_one();
        }
    }

    /// Waits for the end of the claim. A lost wake-up is a deadlock, which loom reports.
    fn wait(shared: Arc<Shared>) -> End {
        let flag = Arc::new(WakeFlag(Mutex::new(false), Condvar::new()));
        let waker = Waker::from(Arc::clone(&flag));
        let mut follower = Follower { shared, number: None };
        loop {
            if let Poll::Ready(end) = follower.poll(&Context::from_waker(&waker)) {
                return end;
            }
            let mut woken = lock(&flag.0);
            while !*woken {
                woken = flag.1.wait(woken).expect("no panic under the lock");
            }
            *woken = false;
        }
    }

    /// A call as in [`share`], whose first leader leaves without an answer.
    fn call(claims: &'static Claims, subject: Subject, asked: &Count) -> bool {
        while let Some(shared) = claims.pending(&subject) {
            if let End::Answer(answer) = wait(shared) {
                return matches!(answer.claim(), Ok(Claim::InFlight { .. }));
            }
        }
        let leader = Leader::register(claims, subject);
        let is_first = asked.fetch_add(1, SeqCst) == 0;
        if let Some(leader) = leader.filter(|_| !is_first) {
            let lease_left = Duration::from_secs(1);
            leader.publish(End::Answer(Answer::InFlight { lease_left }));
        }
        true
    }

    /// Every call ends, whether the leader answers or leaves, and no claim is left pending.
    fn check(calls: usize) {
        let subject = (StoreId::new(), RecordKey([1; 32]), Fingerprint([2; 32]), Takeover::Rerun);
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let claims: &'static Claims = Box::leak(Box::new(Claims::new()));
            let asked = Arc::new(Count::new(0));
            let threads: Vec<_> = (0..calls)
                .map(|_| {
                    let asked = Arc::clone(&asked);
                    thread::spawn(move || assert!(call(claims, subject, &asked)))
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().expect("a call that ends"));
            assert!(lock(&claims.pending).is_empty());
            assert_eq!(claims.count.load(Relaxed), 0);
            assert!(asked.load(SeqCst) >= 1);
        });
    }

    #[test]
    fn two_calls() {
        check(2);
    }

    #[test]
    fn three_calls() {
        check(3);
    }
}
