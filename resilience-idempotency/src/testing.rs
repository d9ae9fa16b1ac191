//! A store that fails as you tell it to, for tests of what your code does then.
//!
//! It stands here and not in [`resilience::testing`](resilience::testing), whose guards change what the thread
//! sees: this is a store like others, and part of a test by being handed over.

use core::fmt;
use core::future::pending;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::key::RecordKey;
use crate::secret::Secret;
use crate::store::{
    Capabilities, Claim, ClaimRequest, Interrupted, Store, StoreId, Token, WriteOutcome,
};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use resilience_core::__internal::Delay;

/// A step of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreOp {
    /// [`Store::claim`].
    Claim,
    /// [`Store::renew`].
    Renew,
    /// [`Store::complete`].
    Complete,
    /// [`Store::release`].
    Release,
    /// [`Store::abandon`].
    Abandon,
    /// [`Store::purge`].
    Purge,
    /// [`Store::forget`].
    Forget,
    /// [`Store::interrupted`].
    Interrupted,
}

/// What becomes of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectedFault {
    /// None: for the steps before one that fails.
    Nothing,
    /// The step fails with an error of this kind, and is not applied.
    Fail(StoreErrorKind),
    /// The step is applied, and its answer lost.
    LoseReply,
    /// The step is applied after this time.
    Delay(Duration),
    /// The step is applied at once, and answered after this time.
    DelayReply(Duration),
    /// The step is never applied nor answered.
    Hang,
    /// The step is applied and never answered.
    HangAfter,
    /// Another step goes first: this one is applied once the next of any kind has been.
    LetOnePass,
    /// An outcome that is replayed has one bit changed. Other answers are as they are.
    Corrupt,
}

/// A store that does with its steps what a script says, and otherwise what the store in it does.
///
/// All clones share script and counts.
///
/// ```
///
/// use std::sync::Arc;
/// use resilience::idempotent::testing::{InjectedFault, FaultStore, StoreOp};
/// use resilience::idempotent::MemoryStore;
///
/// let store = FaultStore::new(Arc::new(MemoryStore::new()));
/// store.script(StoreOp::Claim, [InjectedFault::LoseReply]); // the first claim; those after it pass
/// assert_eq!(store.calls(StoreOp::Claim), 0);
/// ```
#[derive(Clone)]
pub struct FaultStore<S> {
    store: S,
    faults: Arc<Mutex<Faults>>,
    steps: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Faults {
    scripts: HashMap<StoreOp, VecDeque<InjectedFault>>,
    always: HashMap<StoreOp, InjectedFault>,
    calls: HashMap<StoreOp, usize>,
}

impl<S: Store + Clone> FaultStore<S> {
    /// This store, without faults so far.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, faults: Arc::default(), steps: Arc::default() }
    }

    /// What becomes of the next steps of this kind, one after the other, behind those that were said before.
    pub fn script(&self, op: StoreOp, faults: impl IntoIterator<Item = InjectedFault>) {
        // What an iterator does is not ours.
        let faults: Vec<_> = faults.into_iter().collect();
        self.faults().scripts.entry(op).or_default().extend(faults);
    }

    /// What becomes of every step of this kind that has no script, until something else is said.
    pub fn always(&self, op: StoreOp, fault: InjectedFault) {
        self.faults().always.insert(op, fault);
    }

    /// How often a step of this kind was begun.
    #[must_use]
    pub fn calls(&self, op: StoreOp) -> usize {
        self.faults().calls.get(&op).copied().unwrap_or_default()
    }

    /// How often a step of any kind was.
    #[must_use]
    pub fn all_calls(&self) -> usize {
        self.faults().calls.values().fold(0, |sum, calls| sum.saturating_add(*calls))
    }

    /// The store in it.
    #[must_use]
    pub fn inner(&self) -> &S {
        &self.store
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, op: StoreOp) -> InjectedFault {
        let mut faults = self.faults();
        let calls = faults.calls.entry(op).or_default();
        *calls = calls.saturating_add(1);
        let next = faults.scripts.get_mut(&op).and_then(VecDeque::pop_front);
        let always = faults.always.get(&op).copied();
        next.or(always).unwrap_or(InjectedFault::Nothing)
    }

    async fn step<T>(
        &self,
        op: StoreOp,
        step: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<(T, InjectedFault)> {
        let fault = self.next(op);
        match fault {
            InjectedFault::Fail(kind) => return Err(StoreError::new(kind)),
            InjectedFault::Hang => return pending().await,
            InjectedFault::Delay(time) => Delay::start(time).0.wait().await,
            InjectedFault::LetOnePass => {
                let before = self.steps.load(Relaxed);
                while self.steps.load(Relaxed) == before {
                    Delay::start(Duration::from_millis(1)).0.wait().await;
                }
            }
            _ => {}
        }
        let answer = step.await;
        self.steps.fetch_add(1, Relaxed);
        match fault {
            InjectedFault::LoseReply => Err(StoreError::unavailable("the answer is lost")),
            InjectedFault::HangAfter => pending().await,
            InjectedFault::DelayReply(time) => {
                Delay::start(time).0.wait().await;
                Ok((answer?, fault))
            }
            _ => Ok((answer?, fault)),
        }
    }
}

impl<S: Store + Clone> Store for FaultStore<S> {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        let (claim, fault) = self.step(StoreOp::Claim, self.store.claim(request)).await?;
        Ok(match claim {
            Claim::Replay(bytes) if fault == InjectedFault::Corrupt => {
                let mut bytes = bytes.to_vec();
                match bytes.len() {
                    0 => bytes.push(0),
                    length => bytes[length / 2] ^= 1,
                }
                Claim::Replay(bytes.into())
            }
            claim => claim,
        })
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        Ok(self.step(StoreOp::Renew, self.store.renew(key, token, lease)).await?.0)
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        let step = self.store.complete(key, token, outcome, retention);
        Ok(self.step(StoreOp::Complete, step).await?.0)
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        Ok(self.step(StoreOp::Release, self.store.release(key, token)).await?.0)
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        Ok(self.step(StoreOp::Abandon, self.store.abandon(key, token)).await?.0)
    }

    async fn changed(&self, key: &RecordKey, hint: Duration) {
        self.store.changed(key, hint).await;
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        Ok(self.step(StoreOp::Purge, self.store.purge(limit)).await?.0)
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        Ok(self.step(StoreOp::Forget, self.store.forget(key)).await?.0)
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        Ok(self.step(StoreOp::Interrupted, self.store.interrupted(limit)).await?.0)
    }

    fn caps(&self) -> Capabilities {
        self.store.caps()
    }

    fn id(&self) -> StoreId {
        self.store.id()
    }

    fn secret(&self) -> Secret {
        self.store.secret()
    }
}

impl<S> fmt::Debug for FaultStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultStore").field("steps", &self.steps).finish_non_exhaustive()
    }
}
