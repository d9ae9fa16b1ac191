//! One idempotent call: from its key to the right to run, or to what has come of it.

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::Arc;

use crate::context::IdempotencyContext;
use crate::envelope::{self, Codec, Kept};
use crate::key::{Fingerprint, RecordKey};
use crate::log::{self, Decision};
use crate::policy::{IdempotencyPolicy, OnInterrupted, OnStoreError};
use crate::running::ActiveCall;
use crate::store::{Claim, ClaimRequest, Store, Takeover};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use crate::waiting::{Table, Turn, Waiter};
use resilience_core::__internal::draw;
use resilience_core::__internal::unique_id;
use resilience_core::__internal::{DeadlineTimer, Delay, Timestamp, WaitMode, now};
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};

/// A call with a key, made by [`IdempotencyPolicy::call`].
#[derive(Clone, Debug)]
#[must_use = "nothing runs until the call is run"]
pub struct IdempotentCall<S> {
    pub(super) policy: IdempotencyPolicy,
    pub(super) store: S,
    pub(super) key: RecordKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) waits: WaitMode,
    pub(super) scope: &'static str,
}

/// The answer to a call that has asked for its turn.
#[derive(Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum Claimed<S: Store + Clone> {
    /// It may run. What became of it has to be said.
    Run(ActiveCall<S>),
    /// It has run before, and this came of it.
    Replay(Replayed),
}

/// What came of an earlier call. Its `Debug` form does not show it.
#[non_exhaustive]
pub enum Replayed {
    /// The bytes that were stored.
    Outcome(Vec<u8>),
    /// The outcome was not stored: too long, or not meant to be.
    NotStored,
}

impl fmt::Debug for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome(bytes) => write!(f, "Outcome({} bytes)", bytes.len()),
            Self::NotStored => f.write_str("NotStored"),
        }
    }
}

impl<S: Store + Clone> IdempotentCall<S> {
    pub(super) fn new(
        policy: IdempotencyPolicy,
        store: S,
        key: RecordKey,
        fingerprint: Fingerprint,
        scope: &'static str,
    ) -> Self {
        Self { policy, store, key, fingerprint, waits: WaitMode::Async, scope }
    }

    /// The key of its record.
    pub fn key(&self) -> RecordKey {
        self.key
    }

    /// Asks for the right to run, for those who do the rest by hand: a layer of HTTP, a worker of a queue.
    ///
    /// # Errors
    /// Any kind of [`Rejected`] from [`KeyReused`](IdempotencyRejection::KeyReused) on.
    pub async fn claim(&self) -> Result<Claimed<S>, Rejected> {
        match self.ask().await? {
            // What its caller does with it is not seen from here.
            Asked::Run(running) => Ok(Claimed::Run(running.begun())),
            Asked::Replay(bytes) => match self.open(&bytes, Codec::RAW)? {
                Some(outcome) => Ok(Claimed::Replay(Replayed::Outcome(outcome.to_vec()))),
                None => Ok(Claimed::Replay(Replayed::NotStored)),
            },
        }
    }

    /// The bytes in an envelope; none where they were too many.
    pub(super) fn open<'b>(
        &self,
        bytes: &'b [u8],
        codec: Codec,
    ) -> Result<Option<&'b [u8]>, Rejected> {
        let opened = envelope::open(bytes, codec, self.policy.name, self.policy.version);
        match opened {
            Ok(Kept::Value(value)) => Ok(Some(value)),
            Ok(Kept::NotStored) => Ok(None),
            Ok(Kept::Unwritten) => {
                Err(self.turned_away(RejectedKind::Idempotency(IdempotencyRejection::Undecodable)))
            }
            Err(unreadable) => Err(self
                .turned_away(RejectedKind::Idempotency(IdempotencyRejection::Undecodable))
                .because(unreadable)),
        }
    }

    /// The right to run, or the stored bytes.
    pub(super) async fn ask(&self) -> Result<Asked<S>, Rejected> {
        let begin = now();
        let owner = unique_id();
        let usual = self.policy.takeover();
        let mut takeover = usual;
        let mut waiter = None;
        let mut polls = 0_i32;
        // Time that has passed and that no clock shows.
        let mut unseen = Duration::ZERO;
        loop {
            if let Some(bytes) = self.wait_for_turn(&mut waiter, begin).await? {
                self.told(Decision::Replayed, begin);
                return Ok(Asked::Replay(bytes));
            }
            let claim = match self.try_claim(owner, takeover).await {
                Ok(claim) => claim,
                Err(error) => return self.without_store(error),
            };
            match claim {
                Claim::Acquired { token, attempt } => {
                    let interrupted = takeover == Takeover::Rerun
                        && self.policy.on_interrupted == OnInterrupted::Reconcile;
                    self.told(Decision::Acquired { attempt, fence: token.fence }, begin);
                    return Ok(Asked::Run(ActiveCall::new(self, token, attempt, interrupted)));
                }
                Claim::Replay(bytes) => {
                    if let Some(waiter) = &waiter {
                        Waiter::tell(waiter, &bytes);
                    }
                    self.told(Decision::Replayed, begin);
                    return Ok(Asked::Replay(bytes));
                }
                Claim::Mismatch => {
                    return Err(self
                        .turned_away(RejectedKind::Idempotency(IdempotencyRejection::KeyReused)));
                }
                Claim::Interrupted { .. }
                    if self.policy.on_interrupted == OnInterrupted::Reconcile =>
                {
                    takeover = Takeover::Rerun;
                }
                Claim::Interrupted { .. } => {
                    return Err(self.turned_away(RejectedKind::Idempotency(
                        IdempotencyRejection::OutcomeUnknown,
                    )));
                }
                Claim::InFlight { lease_left } => {
                    // Somebody else was first to take over, and may end it in any way.
                    takeover = usual;
                    let left = self.time_left(begin).map(|left| left.saturating_sub(unseen));
                    let Some(left) = left.filter(|left| !left.is_zero()) else {
                        return Err(self.in_flight(lease_left));
                    };
                    if waiter.is_none() && self.waits == WaitMode::Async {
                        waiter = Some(self.waiter());
                        continue;
                    }
                    let pause = poll_interval(polls).min(left).min(lease_left);
                    polls = polls.saturating_add(1);
                    unseen = unseen.saturating_add(self.pause(pause).await);
                }
            }
        }
    }

    fn waiter(&self) -> Waiter {
        Waiter::enter(Table::of_process(), self.store.id(), self.key, self.fingerprint)
    }

    /// WaitMode until it is this call's turn to ask the store; the answer, where somebody else has it first.
    async fn wait_for_turn(
        &self,
        waiter: &mut Option<Waiter>,
        begin: Timestamp,
    ) -> Result<Option<Arc<[u8]>>, Rejected> {
        let Some(waiter) = waiter else { return Ok(None) };
        let left = self.time_left(begin).unwrap_or_default();
        match within(left, waiter.turn()).await {
            Some(Turn::Ask) => Ok(None),
            Some(Turn::Done(bytes)) => Ok(Some(bytes)),
            None => Err(self.in_flight(self.policy.lease)),
        }
    }

    /// What is left of the time that this call may wait; none where it may not.
    pub(super) fn time_left(&self, begin: Timestamp) -> Option<Duration> {
        Some(self.policy.wait?.saturating_sub(now().since(begin)))
    }

    /// WaitMode; returns the time so passed that no clock shows.
    async fn pause(&self, pause: Duration) -> Duration {
        match self.waits {
            WaitMode::Async => {
                self.store.changed(&self.key, pause).await;
                Duration::ZERO
            }
            WaitMode::Blocking => blocked(pause),
        }
    }

    /// Claims, and where the answer is lost asks again: with the same owner, so that nothing is lost by it.
    async fn try_claim(&self, owner: u128, takeover: Takeover) -> StoreResult<Claim> {
        let mut tries = 0;
        loop {
            let claimed = self.step(self.store.claim(self.request(owner, takeover))).await;
            match claimed {
                Err(error) if tries < REPEATS && error.may_pass() => tries += 1,
                claimed => return claimed,
            }
        }
    }

    pub(super) fn request(&self, owner: u128, takeover: Takeover) -> ClaimRequest<'_> {
        ClaimRequest {
            key: &self.key,
            fingerprint: &self.fingerprint,
            owner,
            lease: self.lease(),
            retention: self.policy.ttl,
            takeover,
            label: self.policy.name,
        }
    }

    /// The call as its body sees it.
    pub(super) fn context(&self, fence: u64, attempt: u32) -> IdempotencyContext {
        let secret = self.store.secret();
        IdempotencyContext::new(self.policy.name, self.key, fence, attempt, secret)
    }

    /// An outcome as it is stored. One that is too long is kept as that.
    pub(super) fn seal(&self, kept: Kept<'_>, codec: Codec) -> Vec<u8> {
        let most = self.store.caps().max_outcome.saturating_sub(envelope::OVERHEAD);
        let most = self.policy.max_outcome.min(most);
        let kept = match kept {
            Kept::Value(bytes) if bytes.len() > most => Kept::NotStored,
            kept => kept,
        };
        envelope::seal(kept, codec, self.policy.name, self.policy.version)
    }

    /// A thread that blocks gives no sign of life, and needs none: its store ends with its process.
    pub(super) fn lease(&self) -> Duration {
        match self.waits {
            WaitMode::Async => self.policy.lease,
            WaitMode::Blocking => Duration::MAX,
        }
    }

    /// One step of the store, in its time.
    pub(super) async fn step<T>(
        &self,
        step: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        let limit = self.policy.store_timeout;
        let late = || StoreError::unavailable(format!("no answer within {limit:?}"));
        within(limit, step).await.unwrap_or_else(|| Err(late()))
    }

    fn without_store(&self, error: StoreError) -> Result<Asked<S>, Rejected> {
        // A record that is there and cannot be read may well be that of a call that has run.
        let is_away = error.kind() != StoreErrorKind::Corrupt;
        if is_away && self.policy.on_store_error == OnStoreError::FailOpen {
            log::store_error(self.policy.name, self.key, "running unprotected", &error);
            return Ok(Asked::Run(ActiveCall::unguarded(self)));
        }
        Err(self.unavailable(error))
    }
}

/// The answer of the store, after any wait.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub(super) enum Asked<S: Store + Clone> {
    Run(ActiveCall<S>),
    Replay(Arc<[u8]>),
}

/// Blocks the thread; returns the time so passed that no clock shows, under a test's guard or a paused
/// runtime.
pub(super) fn blocked(pause: Duration) -> Duration {
    let (pause, skipped) = Delay::start(pause);
    skipped.saturating_add(pause.block())
}

/// How often a step whose answer was lost is repeated.
const REPEATS: u32 = 2;

/// 25 ms, growing by 1.6 up to a second, within 20 % of that.
pub(super) fn poll_interval(polls: i32) -> Duration {
    let millis = (25.0 * 1.6_f64.powi(polls.min(20))).min(1000.0);
    Duration::from_secs_f64(millis * (0.8 + 0.4 * draw()) / 1000.0)
}

/// What a future comes to within `limit`. The timer is made when the future has to wait.
pub(super) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    if let Some(out) = core::future::poll_fn(|cx| Poll::Ready(at_once(future.as_mut(), cx))).await {
        return Some(out);
    }
    let mut timer = pin!(DeadlineTimer::start(limit, None));
    core::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending => timer.as_mut().poll(cx).map(|_| None),
    })
    .await
}

fn at_once<F: Future>(future: core::pin::Pin<&mut F>, cx: &mut Context<'_>) -> Option<F::Output> {
    match future.poll(cx) {
        Poll::Ready(out) => Some(out),
        Poll::Pending => None,
    }
}

/// What a future comes to that never waits.
pub(super) fn ready<F: Future>(future: F) -> Option<F::Output> {
    at_once(pin!(future), &mut Context::from_waker(Waker::noop()))
}
