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
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use crate::key::{Fingerprint, RecordKey};
use crate::store::{Claim, StoreId, Takeover};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use crate::wait::timeout;
use resilience_core::__internal::{Mutex, lock};

/// The subject of a claim. Claims of equal subjects have equal answers, except that a single claim
/// is acquired.
pub(super) type Subject = (StoreId, RecordKey, Fingerprint, Takeover);

/// The claims of this process under way.
static CLAIMS: LazyLock<Mutex<HashMap<Subject, Arc<Shared>>>> = LazyLock::new(Mutex::default);

/// The number of entries of `CLAIMS`, so that a claim without a rival costs a single load.
static PENDING: AtomicUsize = AtomicUsize::new(0);

/// A claim under way, and the wakers of the calls that share its answer.
#[derive(Default)]
struct Shared(Mutex<State>);

#[derive(Default)]
struct State {
    end: Option<End>,
    followers: BTreeMap<u64, Waker>,
    last_number: u64,
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
pub(super) async fn share(
    subject: Subject,
    lease: Duration,
    limit: Duration,
    mut claim: Pin<&mut impl Future<Output = StoreResult<Claim>>>,
) -> StoreResult<Claim> {
    while let Some(shared) = pending(&subject) {
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
    let leader = Leader::register(subject);
    let answer = claim.await;
    if let Some(leader) = leader {
        leader.publish(End::Answer(Answer::of(&answer, lease)));
    }
    answer
}

fn pending(subject: &Subject) -> Option<Arc<Shared>> {
    if PENDING.load(Relaxed) == 0 {
        return None;
    }
    lock(&CLAIMS).get(subject).cloned()
}

/// The call that waits for the store.
struct Leader {
    subject: Subject,
    shared: Arc<Shared>,
}

impl Leader {
    /// Registers a claim, unless another claim of the subject is registered.
    fn register(subject: Subject) -> Option<Self> {
        let mut claims = lock(&CLAIMS);
        if claims.contains_key(&subject) {
            return None;
        }
        let shared = Arc::<Shared>::default();
        claims.insert(subject, Arc::clone(&shared));
        PENDING.fetch_add(1, Relaxed);
        drop(claims);
        Some(Self { subject, shared })
    }

    fn publish(&self, end: End) {
        let mut state = lock(&self.shared.0);
        if state.end.is_some() {
            return;
        }
        state.end = Some(end);
        let followers = core::mem::take(&mut state.followers);
        drop(state);
        // A later call claims again, because the record may change meanwhile.
        let removed = lock(&CLAIMS).remove(&self.subject);
        PENDING.fetch_sub(1, Relaxed);
        drop(removed);
        followers.into_values().for_each(Waker::wake);
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
        let number = *self.number.get_or_insert_with(|| {
            state.last_number = state.last_number.wrapping_add(1);
            state.last_number
        });
        let previous = state.followers.insert(number, waker);
        drop(state);
        drop(previous);
        Poll::Pending
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let waker = lock(&self.shared.0).followers.remove(&number);
        drop(waker);
    }
}
