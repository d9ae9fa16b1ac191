//! A store with injected faults, for tests of an application.
//!
//! The guards of [`resilience::testing`](resilience_core::testing) override the state of the
//! current thread. A [`FaultStore`] is an ordinary store instead, and a test passes the store to
//! the code under test.

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

/// A fault in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectedFault {
    /// No fault. Skips steps in a script.
    Nothing,
    /// The step fails with an error of this kind, and is not applied.
    Fail(StoreErrorKind),
    /// The step is applied, and fails with [`Unavailable`](StoreErrorKind::Unavailable).
    LoseReply,
    /// The step is applied after this time.
    Delay(Duration),
    /// The step is applied at once, and the reply comes after this time.
    DelayReply(Duration),
    /// The step is not applied, and never replies.
    Hang,
    /// The step is applied, and never replies.
    HangAfter,
    /// The step is applied after the next step of any kind.
    LetOnePass,
    /// A replayed outcome has one changed bit. Other replies stay unchanged.
    Corrupt,
}

/// A store that injects faults into the steps of another store.
///
/// All clones share the faults and the counters. See [`script`](Self::script) for the next steps
/// and [`always`](Self::always) for every step.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use resilience::idempotent::MemoryStore;
/// use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
///
/// let store = FaultStore::new(Arc::new(MemoryStore::new()));
/// // The reply to the first claim is lost. Later claims succeed.
/// store.script(StoreOp::Claim, [InjectedFault::LoseReply]);
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
    /// Creates a store without faults.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, faults: Arc::default(), steps: Arc::default() }
    }

    /// Adds faults for the next steps of this kind, one fault per step, behind the faults of
    /// earlier calls.
    pub fn script(&self, op: StoreOp, faults: impl IntoIterator<Item = InjectedFault>) {
        // Collected before the lock, because an iterator is foreign code.
        let faults: Vec<_> = faults.into_iter().collect();
        self.faults().scripts.entry(op).or_default().extend(faults);
    }

    /// Sets the fault of every step of this kind that has no scripted fault.
    pub fn always(&self, op: StoreOp, fault: InjectedFault) {
        self.faults().always.insert(op, fault);
    }

    /// Returns the number of started steps of this kind.
    #[must_use]
    pub fn calls(&self, op: StoreOp) -> usize {
        self.faults().calls.get(&op).copied().unwrap_or_default()
    }

    /// Returns the number of started steps of all kinds.
    #[must_use]
    pub fn all_calls(&self) -> usize {
        self.faults().calls.values().fold(0, |sum, calls| sum.saturating_add(*calls))
    }

    /// Returns the inner store.
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
            InjectedFault::Nothing
            | InjectedFault::LoseReply
            | InjectedFault::DelayReply(_)
            | InjectedFault::HangAfter
            | InjectedFault::Corrupt => {}
        }
        let reply = step.await;
        self.steps.fetch_add(1, Relaxed);
        match fault {
            InjectedFault::LoseReply => Err(StoreError::unavailable("the reply is lost")),
            InjectedFault::HangAfter => pending().await,
            InjectedFault::DelayReply(time) => {
                Delay::start(time).0.wait().await;
                Ok((reply?, fault))
            }
            InjectedFault::Nothing
            | InjectedFault::Fail(_)
            | InjectedFault::Delay(_)
            | InjectedFault::Hang
            | InjectedFault::LetOnePass
            | InjectedFault::Corrupt => Ok((reply?, fault)),
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
