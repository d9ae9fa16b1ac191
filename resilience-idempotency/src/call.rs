//! One idempotent call: the claim of its key, or the outcome of an earlier call.

use core::fmt;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use pin_project_lite::pin_project;

use crate::active_call::ActiveCall;
use crate::codec::CodecError;
use crate::context::IdempotencyContext;
use crate::envelope::{self, Codec, Draft, StoredOutcome};
use crate::key::{Fingerprint, RecordKey, ScopeKey};
use crate::log::{self, Decision, StoreFailure};
use crate::owner::new_owner;
use crate::policy::{IdempotencyPolicy, OnInterrupted, OnStoreError};
use crate::sent_claim::SentClaim;
use crate::shared_claim::share;
use crate::singleflight::{FlightCall, Flights, Role};
use crate::store::{Claim, ClaimRequest, Store, Takeover};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use crate::wait::{Timeout, block_for, poll_interval, timeout};
use resilience_core::__internal::{Delay, Timestamp, WaitMode, now, overdue, slot};
use resilience_core::context::remaining;
use resilience_core::{IdempotencyRejection, Rejected};

/// A call with a key, created by [`IdempotencyPolicy::call`].
#[derive(Clone, Debug)]
#[must_use = "a call does nothing until it runs"]
pub struct IdempotentCall<S> {
    pub(super) policy: IdempotencyPolicy,
    pub(super) store: S,
    pub(super) key: RecordKey,
    pub(super) fingerprint: Fingerprint,
    pub(super) wait_mode: WaitMode,
    /// The kind of the scope, for the log.
    pub(super) scope: &'static str,
    /// The hash of the scope, for the quotas of a store.
    pub(super) scope_key: Option<ScopeKey>,
    /// Whether the body has run, and the claim only reads the record again.
    pub(super) has_run: bool,
}

/// The result of [`IdempotentCall::claim`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Claimed<S: Store + Clone> {
    /// The call has claimed the key and may run.
    Run(ActiveCall<S>),
    /// An earlier call has completed with this outcome.
    Replay(Replayed),
}

/// The outcome of an earlier call. The `Debug` form shows the length only.
#[non_exhaustive]
pub enum Replayed {
    /// The stored bytes.
    Outcome(Vec<u8>),
    /// The earlier call has completed, and its outcome was not stored: too long, or excluded by
    /// the policy.
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

/// The result of a claim, after all waits.
pub(super) enum Acquisition<S: Store + Clone> {
    Run(ActiveCall<S>),
    Replay(Arc<[u8]>),
}

/// The state of a call between its claims.
struct Acquiring {
    begin: Timestamp,
    /// The time of the last claim, before its request.
    claimed: Timestamp,
    owner: u128,
    takeover: Takeover,
    /// Waits that a test skips pass on no clock, so they are added up here.
    skipped: Duration,
    /// The rest of the lease of the call that holds the key, after the last claim.
    in_flight: Option<Duration>,
}

impl Acquiring {
    fn new(takeover: Takeover) -> Self {
        let (begin, skipped, in_flight) = (now(), Duration::ZERO, None);
        Self { begin, claimed: begin, owner: new_owner(begin), takeover, skipped, in_flight }
    }
}

/// The number of times that a claim without an answer is repeated.
const CLAIM_RETRIES: u32 = 2;

impl<S: Store + Clone> IdempotentCall<S> {
    pub(super) fn new(
        policy: IdempotencyPolicy,
        store: S,
        key: RecordKey,
        fingerprint: Fingerprint,
        scope: &'static str,
        scope_key: Option<ScopeKey>,
    ) -> Self {
        let wait_mode = WaitMode::Async;
        Self { policy, store, key, fingerprint, wait_mode, scope, scope_key, has_run: false }
    }

    /// Returns the key of the record.
    pub fn key(&self) -> RecordKey {
        self.key
    }

    /// Claims the key, for a caller that runs the body without [`run_async`](Self::run_async),
    /// such as an HTTP layer or a queue worker.
    ///
    /// # Errors
    /// [`Rejected`] with any [`IdempotencyRejection`] from
    /// [`KeyReused`](IdempotencyRejection::KeyReused) on.
    pub fn claim(&self) -> impl Future<Output = Result<Claimed<S>, Rejected>> + Send {
        async move {
            match self.acquire().await? {
                // The caller may start the side effect at any time from here on.
                Acquisition::Run(active) => Ok(Claimed::Run(active.mark_begun())),
                Acquisition::Replay(bytes) => match self.open(&bytes, Codec::RAW)? {
                    Some(outcome) => Ok(Claimed::Replay(Replayed::Outcome(outcome.to_vec()))),
                    None => Ok(Claimed::Replay(Replayed::NotStored)),
                },
            }
        }
    }

    /// Claims the key, or returns the stored bytes of an earlier call.
    ///
    /// Every future that contains a step of the store names `Send` in its type. The compiler
    /// erases the lifetimes inside a spawned future, and cannot prove that the step of an
    /// `Arc<dyn DynStore>` is `Send` then. An `async fn` would also store each argument twice.
    pub(super) fn acquire(&self) -> impl Future<Output = Result<Acquisition<S>, Rejected>> + Send {
        async move {
            self.check_deadline()?;
            let mut acquiring = Acquiring::new(self.policy.takeover());
            let claim = self.claim_or_share(acquiring.owner, acquiring.takeover).await;
            match self.decide(claim, &mut acquiring)? {
                Some(acquired) => Ok(acquired),
                // Boxed, because most calls never wait, and the wait would be most of their future.
                None => Box::pin(self.wait_and_claim(acquiring)).await,
            }
        }
    }

    /// Rejects a call after the deadline of the context.
    pub(super) fn check_deadline(&self) -> Result<(), Rejected> {
        let Some(rejected) = overdue(self.policy.name, None) else { return Ok(()) };
        self.policy.site().count(slot::OVERDUE);
        Err(rejected)
    }

    /// Waits for another call and claims again, until an answer ends the wait.
    async fn wait_and_claim(&self, mut acquiring: Acquiring) -> Result<Acquisition<S>, Rejected> {
        let mut flight = None;
        let mut polls = 0_i32;
        loop {
            if let Some(lease_left) = acquiring.in_flight.take() {
                let left = self.time_left(acquiring.begin, acquiring.skipped).unwrap_or_default();
                if flight.is_none() && self.wait_mode == WaitMode::Async {
                    flight = Some(self.join_flight());
                } else {
                    let delay = poll_interval(polls).min(left).min(lease_left);
                    polls = polls.saturating_add(1);
                    let skipped = self.wait_for_change(delay).await;
                    acquiring.skipped = acquiring.skipped.saturating_add(skipped);
                }
            }
            if let Some(bytes) = self.wait_for_leader(&mut flight, &acquiring).await? {
                self.log_decision(Decision::Replayed, acquiring.begin);
                return Ok(Acquisition::Replay(bytes));
            }
            acquiring.claimed = now();
            let claim = self.claim_or_share(acquiring.owner, acquiring.takeover).await;
            if let (Ok(Claim::Replay(bytes)), Some(flight)) = (&claim, &flight) {
                FlightCall::publish(flight, bytes);
            }
            if let Some(acquired) = self.decide(claim, &mut acquiring)? {
                return Ok(acquired);
            }
        }
    }

    /// Decides about the answer to a claim. `None` means that the call claims again.
    fn decide(
        &self,
        claim: StoreResult<Claim>,
        acquiring: &mut Acquiring,
    ) -> Result<Option<Acquisition<S>>, Rejected> {
        let claim = match claim {
            Ok(claim) => claim,
            Err(error) => return self.proceed_without_store(error, acquiring).map(Some),
        };
        let reconciles = self.policy.on_interrupted == OnInterrupted::Reconcile;
        match claim {
            Claim::Acquired { token, attempt } => {
                let interrupted = acquiring.takeover == Takeover::Rerun && reconciles;
                let decision = Decision::Acquired { attempt, fence: token.fence };
                self.log_decision(decision, acquiring.begin);
                let active = ActiveCall::new(self, token, attempt, interrupted, acquiring.claimed);
                Ok(Some(Acquisition::Run(active)))
            }
            Claim::Replay(bytes) => {
                self.log_decision(Decision::Replayed, acquiring.begin);
                Ok(Some(Acquisition::Replay(bytes)))
            }
            Claim::Mismatch => Err(self.reject(IdempotencyRejection::KeyReused)),
            Claim::Interrupted { .. } if reconciles => {
                acquiring.takeover = Takeover::Rerun;
                Ok(None)
            }
            Claim::Interrupted { .. } => Err(self.reject(IdempotencyRejection::OutcomeUnknown)),
            Claim::InFlight { lease_left } => {
                // Another call has taken over first, and its claim may end in any way.
                acquiring.takeover = self.policy.takeover();
                match self.time_left(acquiring.begin, acquiring.skipped) {
                    Some(left) if !left.is_zero() => {
                        acquiring.in_flight = Some(lease_left);
                        Ok(None)
                    }
                    Some(_) | None => Err(self.reject_in_flight(lease_left)),
                }
            }
        }
    }

    fn join_flight(&self) -> FlightCall {
        FlightCall::join(Flights::of_process(), self.store.id(), self.key, self.fingerprint)
    }

    /// Waits until this call leads its flight, then returns `None`. Returns the outcome if the
    /// leader publishes an outcome first.
    async fn wait_for_leader(
        &self,
        flight: &mut Option<FlightCall>,
        acquiring: &Acquiring,
    ) -> Result<Option<Arc<[u8]>>, Rejected> {
        let Some(flight) = flight else { return Ok(None) };
        let left = self.time_left(acquiring.begin, acquiring.skipped).unwrap_or_default();
        match timeout(left, flight.role()).await {
            Some(Role::Leader) => Ok(None),
            Some(Role::Follower(bytes)) => Ok(Some(bytes)),
            None => Err(self.reject_in_flight(self.policy.lease)),
        }
    }

    /// Returns the rest of the wait time, at most until the deadline of the context, or `None` if
    /// the policy rejects instead of waiting. `skipped` is the time that passed on no clock.
    pub(super) fn time_left(&self, begin: Timestamp, skipped: Duration) -> Option<Duration> {
        let left = self.policy.wait?.saturating_sub(now().since(begin));
        let left = remaining().map_or(left, |rest| left.min(rest));
        Some(left.saturating_sub(skipped))
    }

    /// Waits for a change of the record, for `delay` at most. Returns the time that passed on no
    /// clock.
    async fn wait_for_change(&self, delay: Duration) -> Duration {
        match self.wait_mode {
            WaitMode::Async => {
                // The store waits by itself, and returns nothing about a skipped wait.
                let (begin, skipped) = (now(), Delay::unseen(delay));
                self.store.changed(&self.key, delay).await;
                skipped.saturating_sub(now().since(begin))
            }
            WaitMode::Blocking => block_for(delay),
        }
    }

    /// Claims the key, or shares the answer of a concurrent claim of this process.
    fn claim_or_share(
        &self,
        owner: u128,
        takeover: Takeover,
    ) -> impl Future<Output = StoreResult<Claim>> + Send {
        async move {
            let mut claim = pin!(self.claim_with_retries(owner, takeover));
            if self.wait_mode == WaitMode::Blocking {
                return claim.await;
            }
            let subject = (self.store.id(), self.key, self.fingerprint, takeover);
            let limit = self.policy.store_timeout.saturating_mul(CLAIM_RETRIES + 1);
            share(subject, self.policy.lease, limit, claim.as_mut()).await
        }
    }

    /// Claims the key, and repeats a claim whose reply was lost. The repeated claim has the same
    /// owner, so the store answers with the same token.
    pub(super) fn claim_with_retries(
        &self,
        owner: u128,
        takeover: Takeover,
    ) -> impl Future<Output = StoreResult<Claim>> + Send {
        async move {
            let sent = SentClaim::new(self, owner, takeover);
            let mut retries = 0;
            loop {
                let claimed = self.step(self.store.claim(self.request(owner, takeover))).await;
                match claimed {
                    Err(error) if retries < CLAIM_RETRIES && error.is_retryable() => retries += 1,
                    // The caller is rejected without a run. The drop of `sent` gives the claim
                    // back, in case only the answer was lost.
                    Err(error) if error.is_retryable() && !self.may_run_without(&error) => {
                        return Err(error);
                    }
                    claimed => {
                        sent.keep();
                        return claimed;
                    }
                }
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
            scope: self.scope_key,
        }
    }

    /// Returns the context that the body sees.
    pub(super) fn context(&self, fence: u64, attempt: u32) -> IdempotencyContext {
        let secret = self.store.secret();
        let scope = self.scope_key;
        IdempotencyContext::new(self.policy.name, self.key, scope, fence, attempt, secret)
    }

    /// Returns the payload of an envelope, or `None` if the outcome was not stored.
    pub(super) fn open<'b>(
        &self,
        bytes: &'b [u8],
        codec: Codec,
    ) -> Result<Option<&'b [u8]>, Rejected> {
        match envelope::open(bytes, codec, self.policy.name, self.policy.version) {
            Ok(StoredOutcome::Value(value)) => Ok(Some(value)),
            Ok(StoredOutcome::NotStored) => Ok(None),
            Ok(StoredOutcome::Unencodable) => Err(self.reject(IdempotencyRejection::Undecodable)),
            Err(error) => Err(self.reject(IdempotencyRejection::Undecodable).because(error)),
        }
    }

    /// Returns the envelope of the outcome that `encode` appends to a buffer. An outcome over the
    /// limit, or an excluded outcome, is recorded without its payload.
    pub(super) fn seal(
        &self,
        codec: Codec,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Vec<u8> {
        let limit = self.store.caps().max_outcome.saturating_sub(envelope::OVERHEAD);
        let limit = self.policy.max_outcome.min(limit);
        let mut draft = Draft::new(codec, self.policy.name, self.policy.version);
        match encode(draft.buffer()) {
            Ok(()) if draft.payload_len() <= limit => draft,
            Ok(()) | Err(CodecError::NotStored) => draft.not_stored(),
            // The side effect is applied, so the completion is recorded even without the outcome.
            Err(CodecError::Json(_)) => draft.unencodable(),
        }
        .seal()
    }

    /// Returns the envelope of a completion without an outcome.
    pub(super) fn seal_without_outcome(&self, codec: Codec) -> Vec<u8> {
        self.seal(codec, |_| Err(CodecError::NotStored))
    }

    /// Returns the lease of a claim. A blocked thread cannot renew a lease. A blocking store ends
    /// with its process, so its claims need no end.
    pub(super) fn lease(&self) -> Duration {
        match self.wait_mode {
            WaitMode::Async => self.policy.lease,
            WaitMode::Blocking => Duration::MAX,
        }
    }

    /// Runs a step of the store within `store_timeout`.
    pub(super) fn step<T, F: Future<Output = StoreResult<T>>>(&self, step: F) -> Step<F> {
        Step::new(self.policy.store_timeout, step)
    }

    fn proceed_without_store(
        &self,
        error: StoreError,
        acquiring: &Acquiring,
    ) -> Result<Acquisition<S>, Rejected> {
        if self.may_run_without(&error) {
            log::store_error(&self.policy, self.key, StoreFailure::Unprotected, &error);
            return Ok(Acquisition::Run(ActiveCall::unprotected(self, acquiring.claimed)));
        }
        Err(self.reject_unavailable(error))
    }

    /// Returns whether the body runs without a claim after this error.
    fn may_run_without(&self, error: &StoreError) -> bool {
        // An unreadable record may belong to a completed call, so its call never runs.
        let may_run = !self.has_run && error.kind() != StoreErrorKind::Corrupt;
        may_run && self.policy.on_store_error == OnStoreError::FailOpen
    }

    /// Rejects the call because the store failed.
    pub(super) fn reject_unavailable(&self, error: StoreError) -> Rejected {
        log::store_error(&self.policy, self.key, StoreFailure::Rejected, &error);
        self.reject(IdempotencyRejection::StoreUnavailable).because(error)
    }

    /// Rejects the call because another call with the key is running.
    pub(super) fn reject_in_flight(&self, lease_left: Duration) -> Rejected {
        self.reject_after(IdempotencyRejection::InFlight, Some(lease_left.min(self.policy.lease)))
    }

    /// Rejects the call for `reason`.
    pub(super) fn reject(&self, reason: IdempotencyRejection) -> Rejected {
        self.reject_after(reason, None)
    }

    fn reject_after(
        &self,
        reason: IdempotencyRejection,
        retry_after: Option<Duration>,
    ) -> Rejected {
        let decision = Decision::Rejected { reason, retry_after };
        log::decided(&self.policy, self.key, self.scope, decision, None);
        Rejected::new(reason.into(), self.policy.name, retry_after)
    }

    pub(super) fn log_decision(&self, decision: Decision, begin: Timestamp) {
        log::decided(&self.policy, self.key, self.scope, decision, Some(begin));
    }
}

pin_project! {
    /// A step of the store with a limit, such as `store_timeout`.
    pub(super) struct Step<F> {
        #[pin]
        step: Timeout<F>,
        limit: Duration,
    }
}

impl<F: Future> Step<F> {
    pub(super) fn new(limit: Duration, step: F) -> Self {
        Self { step: timeout(limit, step), limit }
    }
}

impl<T, F: Future<Output = StoreResult<T>>> Future for Step<F> {
    type Output = StoreResult<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<StoreResult<T>> {
        let limit = self.limit;
        let late = || StoreError::unavailable(format!("no answer within {limit:?}"));
        self.project().step.poll(cx).map(|answer| answer.unwrap_or_else(|| Err(late())))
    }
}
