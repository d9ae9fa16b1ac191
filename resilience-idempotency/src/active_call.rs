//! A call that has claimed its key: heartbeats beside the body, and the final write to the store.

use core::fmt;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use crate::call::IdempotentCall;
use crate::context::{IdempotencyContext, InContext};
use crate::envelope::Codec;
use crate::log::{self, Decision, StoreFailure};
use crate::owner::new_owner;
use crate::policy::{OnInterrupted, OnLeaseLost, OnUnsaved};
use crate::spawn::finish;
use crate::store::{Claim, Store, Takeover, Token, WriteOutcome};
use crate::store_error::{StoreError, StoreErrorKind, StoreResult};
use crate::wait::block_for;
use resilience_core::__internal::{Delay, LimitTimer, Timestamp, WaitMode, now};
use resilience_core::{Effect, IdempotencyRejection, Rejected};

/// A call that has claimed its key and may run.
///
/// [`complete`](Self::complete), [`release`](Self::release) or [`abandon`](Self::abandon) ends the
/// claim. Dropping the value abandons the call.
#[must_use = "dropping an active call abandons the call"]
pub struct ActiveCall<S: Store + Clone>(Box<State<S>>);

/// The state of an active call. Boxed, because a call passes through several futures, and each
/// future would hold a copy.
struct State<S> {
    call: IdempotentCall<S>,
    /// `None` if the call runs without a claim, because the store failed.
    token: Option<Token>,
    /// The earliest end of the final write.
    write_until: Option<Timestamp>,
    context: IdempotencyContext,
    interrupted: bool,
    has_begun: bool,
    /// The time of the claim, before its request.
    claimed: Timestamp,
    /// The start of the current lease.
    renewed: Timestamp,
}

/// The state of the store after a completion. The `Debug` form shows no outcome.
#[non_exhaustive]
pub enum Completed {
    /// The store has the outcome of this call.
    Stored,
    /// The store may lack the outcome: the store did not answer until the lease ended, has no room
    /// for the mark of a completion, or returned an unreadable record. A call without a claim, with
    /// [`FailOpen`](crate::OnStoreError::FailOpen), also stores no outcome.
    Unsaved,
    /// Another call took over after the lease and has stored this outcome. The outcome of the
    /// other call counts.
    Other(Vec<u8>),
    /// Another call took over after the lease and has completed, without a stored outcome.
    OtherNotStored,
}

impl fmt::Debug for Completed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored => f.write_str("Stored"),
            Self::Unsaved => f.write_str("Unsaved"),
            Self::Other(bytes) => write!(f, "Other({} bytes)", bytes.len()),
            Self::OtherNotStored => f.write_str("OtherNotStored"),
        }
    }
}

impl<S: Store + Clone> ActiveCall<S> {
    pub(super) fn new(
        call: &IdempotentCall<S>,
        token: Token,
        attempt: u32,
        interrupted: bool,
        claimed: Timestamp,
    ) -> Self {
        let mut active = Self::with_context(call, call.context(token.fence, attempt), claimed);
        active.0.token = Some(token);
        active.0.interrupted = interrupted;
        active
    }

    /// Creates a call without a claim.
    pub(super) fn unprotected(call: &IdempotentCall<S>, claimed: Timestamp) -> Self {
        Self::with_context(call, call.context(0, 1), claimed)
    }

    fn with_context(
        call: &IdempotentCall<S>,
        context: IdempotencyContext,
        claimed: Timestamp,
    ) -> Self {
        Self(Box::new(State {
            call: call.clone(),
            token: None,
            write_until: None,
            context,
            interrupted: false,
            has_begun: false,
            claimed,
            renewed: claimed,
        }))
    }

    /// Marks the side effect as possibly applied.
    pub(super) fn mark_begun(mut self) -> Self {
        self.0.has_begun = true;
        self
    }

    /// Returns the context that the body sees.
    #[must_use]
    pub fn context(&self) -> &IdempotencyContext {
        &self.0.context
    }

    /// Returns whether an earlier call with this key was interrupted, so that this call has to
    /// [reconcile](crate::OnInterrupted::Reconcile) before it runs.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupted
    }

    /// Runs the body inside of [`IdempotencyContext::current`], and renews the lease meanwhile.
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost) with [`OnLeaseLost::Cancel`], after the body
    /// was dropped.
    pub async fn run<F: Future>(&mut self, body: F) -> Result<F::Output, Rejected> {
        self.0.has_begun = true;
        let body = InContext { call: self.0.context.clone(), body };
        self.renewing(body, self.0.call.policy.on_lease_lost).await
    }

    /// Waits for something that the body needs, and renews the lease meanwhile. The side effect has
    /// not begun, so a call that is dropped here gives the claim back.
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost) if the lease is lost.
    #[doc(hidden)]
    pub async fn prepare<F: Future>(&mut self, wait: F) -> Result<F::Output, Rejected> {
        self.0.has_begun = false;
        let out = self.renewing(wait, OnLeaseLost::Cancel).await;
        self.0.has_begun = out.is_ok();
        out
    }

    async fn renewing<F: Future>(
        &mut self,
        body: F,
        on_lost: OnLeaseLost,
    ) -> Result<F::Output, Rejected> {
        let mut renewed = self.0.renewed;
        let out = {
            let mut body = pin!(body);
            let mut heartbeats = pin!(self.heartbeats(&mut renewed, on_lost));
            poll_fn(|cx| match body.as_mut().poll(cx) {
                Poll::Ready(out) => Poll::Ready(Some(out)),
                Poll::Pending => heartbeats.as_mut().poll(cx).map(|()| None),
            })
            .await
        };
        self.0.renewed = renewed;
        out.ok_or_else(|| self.0.call.reject(IdempotencyRejection::LeaseLost))
    }

    /// Runs a body that is not async. A blocking store ends with its process, so its lease needs
    /// no renewal.
    pub(super) fn run_blocking<T>(&mut self, body: impl FnOnce() -> T) -> T {
        self.0.has_begun = true;
        self.0.context.scope(body)
    }

    /// Renews the lease after each third of its length, until [`max_renewal`] after the claim.
    /// Returns when the lease is lost and the body has to be dropped.
    ///
    /// [`max_renewal`]: crate::IdempotencyPolicy::max_renewal
    fn heartbeats(
        &self,
        renewed: &mut Timestamp,
        on_lost: OnLeaseLost,
    ) -> impl Future<Output = ()> + Send {
        async move {
            let (policy, key) = (&self.0.call.policy, &self.0.call.key);
            let Some(token) = self.0.token else { return pending().await };
            let end = self.0.claimed.plus(policy.renewal_limit());
            loop {
                let left = end.since(now());
                LimitTimer::start((policy.lease / 3).min(left), None).await;
                let lease = policy.lease.min(end.since(now()));
                if lease.is_zero() {
                    log::decided(policy, *key, "", Decision::RenewalEnded, None);
                    break;
                }
                let step = self.0.call.store.renew(key, token, lease);
                // The store counts the lease from a time between the request and the reply, so the
                // request counts.
                let requested = now();
                match self.0.call.step(step).await {
                    Ok(WriteOutcome::Applied) => *renewed = requested,
                    Ok(WriteOutcome::Fenced) => {
                        log::decided(policy, *key, "", Decision::Fenced, None);
                        break;
                    }
                    Err(error) => {
                        log::store_error(policy, *key, StoreFailure::LeaseNotRenewed, &error);
                        let is_lost = now() >= renewed.plus(policy.lease);
                        if is_lost && on_lost == OnLeaseLost::Cancel {
                            break;
                        }
                    }
                }
            }
            if on_lost == OnLeaseLost::Continue {
                pending::<()>().await;
            }
        }
    }

    /// Repeats a failed final write for `time` from now at least, also after the end of the lease.
    ///
    /// A late write succeeds unless another call has taken over. Without this setting the final
    /// write is repeated until the end of the lease.
    pub fn repeat_final_write(&mut self, time: Duration) {
        self.0.write_until = Some(now().plus(time));
    }

    /// Stores the outcome. An outcome over the limit is recorded without its bytes.
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost) if another call has taken over and is still
    /// running, was interrupted, or has other arguments.
    /// [`StoreUnavailable`](IdempotencyRejection::StoreUnavailable) with [`Effect::Unknown`] if the
    /// store failed, with [`OnUnsaved::Error`].
    /// [`Undecodable`](IdempotencyRejection::Undecodable) if the outcome of the call that has taken
    /// over cannot be read.
    pub fn complete(
        self,
        outcome: &[u8],
    ) -> impl Future<Output = Result<Completed, Rejected>> + Send {
        let encode = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(outcome);
            Ok(())
        };
        let sealed = self.0.call.seal(Codec::RAW, encode);
        self.store_outcome(sealed, Codec::RAW)
    }

    /// Records the completion without an outcome. A later call with the key is rejected with
    /// [`NotStored`](IdempotencyRejection::NotStored).
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost) and
    /// [`StoreUnavailable`](IdempotencyRejection::StoreUnavailable), as for
    /// [`complete`](Self::complete).
    pub fn complete_without_outcome(
        self,
    ) -> impl Future<Output = Result<Completed, Rejected>> + Send {
        let sealed = self.0.call.seal_without_outcome(Codec::RAW);
        self.store_outcome(sealed, Codec::RAW)
    }

    /// Stores an outcome in its envelope.
    pub(super) fn store_outcome(
        mut self,
        sealed: Vec<u8>,
        codec: Codec,
    ) -> impl Future<Output = Result<Completed, Rejected>> + Send {
        async move {
            let Some(token) = self.0.token else { return Ok(Completed::Unsaved) };
            let until = self.0.renewed.plus(self.0.call.policy.lease);
            let written = self.write_outcome(token, &sealed, codec, until).await;
            // The final write is over, so drop has to write nothing.
            self.0.token = None;
            match written {
                Ok(WriteOutcome::Applied) => Ok(Completed::Stored),
                // Boxed, because a takeover is rare, and would be most of the future.
                Ok(WriteOutcome::Fenced) => Box::pin(self.read_again(&sealed, codec)).await,
                Err(error) => self.unsaved(error),
            }
        }
    }

    /// Writes an outcome, or the mark of an outcome that has no room in the store.
    fn write_outcome<'a>(
        &'a self,
        token: Token,
        sealed: &'a [u8],
        codec: Codec,
        until: Timestamp,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send + use<'a, S> {
        async move {
            let written = self.write_sealed(token, sealed, until).await;
            if !matches!(&written, Err(error) if error.kind() == StoreErrorKind::Full) {
                return written;
            }
            // The mark of an outcome that was not stored may still fit. Without a completion, the
            // next call would run the body again.
            self.log_failed_write(StoreFailure::OutcomeDropped, written);
            let mark = self.0.call.seal_without_outcome(codec);
            // Boxed, because a full store is rare.
            Box::pin(self.write_sealed(token, &mark, until)).await
        }
    }

    fn write_sealed<'a>(
        &'a self,
        token: Token,
        sealed: &'a [u8],
        until: Timestamp,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send + use<'a, S> {
        let call = &self.0.call;
        self.write_until(until, move || {
            call.store.complete(&call.key, token, sealed, call.policy.ttl)
        })
    }

    /// Returns the result of a call whose outcome is not stored.
    fn unsaved(&self, error: StoreError) -> Result<Completed, Rejected> {
        let call = &self.0.call;
        log::store_error(&call.policy, call.key, StoreFailure::Unsaved, &error);
        log::decided(&call.policy, call.key, "", Decision::Unsaved, None);
        match call.policy.on_unsaved {
            OnUnsaved::Return => Ok(Completed::Unsaved),
            OnUnsaved::Error => {
                let rejected = call.reject(IdempotencyRejection::StoreUnavailable).because(error);
                // A rejection of this kind says that the call was not sent, but the body has run.
                Err(rejected.with_effect(Effect::Unknown))
            }
        }
    }

    /// Reads the record after another call has taken over. The record counts for every caller.
    ///
    /// The body has run, so neither the deadline nor the rules for the start of a body apply.
    async fn read_again(&self, sealed: &[u8], codec: Codec) -> Result<Completed, Rejected> {
        let mut call = self.0.call.clone();
        call.has_run = true;
        // The outcome of this call is known, so an interrupted call leaves nothing to reconcile.
        let takeover = match call.policy.on_interrupted {
            OnInterrupted::Rerun | OnInterrupted::Reconcile => Takeover::Rerun,
            OnInterrupted::Unknown => Takeover::Never,
        };
        let claimed = now();
        match call.claim_with_retries(new_owner(claimed), takeover).await {
            Ok(Claim::Replay(stored)) => {
                log::decided(&call.policy, call.key, "", Decision::DuplicateExecution, None);
                Ok(match call.open(&stored, codec)? {
                    Some(outcome) => Completed::Other(outcome.to_vec()),
                    None => Completed::OtherNotStored,
                })
            }
            // No call has an outcome: the other call gave up, or its record is gone.
            Ok(Claim::Acquired { token, .. }) => {
                let until = claimed.plus(call.policy.lease);
                match self.write_outcome(token, sealed, codec, until).await {
                    Ok(WriteOutcome::Applied) => Ok(Completed::Stored),
                    Ok(WriteOutcome::Fenced) => Err(call.reject(IdempotencyRejection::LeaseLost)),
                    Err(error) => self.unsaved(error),
                }
            }
            Ok(Claim::InFlight { .. } | Claim::Interrupted { .. } | Claim::Mismatch) => {
                Err(call.reject(IdempotencyRejection::LeaseLost))
            }
            Err(error) => self.unsaved(error),
        }
    }

    /// Releases the claim: the side effect was not applied. The next call with this key runs.
    pub fn release(mut self) -> impl Future<Output = ()> + Send {
        async move {
            if let Some(token) = self.0.token {
                let key = self.0.call.key;
                let write = || self.0.call.store.release(&key, token);
                let written = self.write_until(self.release_deadline(), write).await;
                self.0.token = None;
                self.log_failed_write(StoreFailure::NotReleased, written);
            }
        }
    }

    /// Ends the claim without an outcome: the side effect may have been applied. The next call
    /// with this key follows [`OnInterrupted`](crate::OnInterrupted).
    pub fn abandon(mut self) -> impl Future<Output = ()> + Send {
        async move {
            if let Some(token) = self.0.token {
                let key = self.0.call.key;
                let write = || self.0.call.store.abandon(&key, token);
                let written = self.write_until(self.release_deadline(), write).await;
                self.0.token = None;
                self.log_failed_write(StoreFailure::NotAbandoned, written);
            }
        }
    }

    fn log_failed_write(&self, failure: StoreFailure, written: StoreResult<WriteOutcome>) {
        if let Err(error) = written {
            log::store_error(&self.0.call.policy, self.0.call.key, failure, &error);
        }
    }

    /// Returns the deadline for releasing the claim. The release is best effort, because the lease
    /// ends the claim too.
    fn release_deadline(&self) -> Timestamp {
        now().plus(self.0.call.policy.store_timeout)
    }

    /// Writes to the store, and repeats a failed write until `until`.
    fn write_until<'a, F>(
        &'a self,
        until: Timestamp,
        write: impl Fn() -> F + Send + 'a,
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send
    where
        F: Future<Output = StoreResult<WriteOutcome>> + Send + 'a,
    {
        async move {
            let call = &self.0.call;
            let mut writes: u32 = 0;
            // Waits that a test skips pass on no clock, so they are added up here.
            let mut skipped = Duration::ZERO;
            loop {
                let error = match call.step(write()).await {
                    Err(error) if error.is_retryable() => error,
                    written => return written,
                };
                // The last delay ends at the deadline: a late write still succeeds if no other call
                // took over.
                let until = self.0.write_until.map_or(until, |end| end.max(until));
                let left = until.since(now().plus(skipped));
                if left.is_zero() {
                    return Err(error);
                }
                // 50, 100, 200, 400, 800 and then 1000 ms.
                let doubled = Duration::from_millis(50).saturating_mul(1 << writes.min(5));
                let delay = doubled.min(Duration::from_secs(1)).min(left);
                writes = writes.saturating_add(1);
                log::store_error(&call.policy, call.key, StoreFailure::Retrying, &error);
                match call.wait_mode {
                    WaitMode::Async => {
                        let (wait, time) = Delay::start(delay);
                        skipped = skipped.saturating_add(time);
                        wait.wait().await;
                    }
                    WaitMode::Blocking => skipped = skipped.saturating_add(block_for(delay)),
                }
            }
        }
    }
}

impl<S: Store + Clone> Drop for ActiveCall<S> {
    /// Abandons the call if its body has begun, and releases the claim otherwise.
    fn drop(&mut self) {
        let Some(token) = self.0.token.take() else { return };
        let (store, key, has_begun) =
            (self.0.call.store.clone(), self.0.call.key, self.0.has_begun);
        let final_write = async move {
            // A failed write is ignored, because the lease ends the claim too.
            let _: Result<WriteOutcome, StoreError> = if has_begun {
                store.abandon(&key, token).await
            } else {
                store.release(&key, token).await
            };
        };
        finish(final_write);
    }
}

impl<S: Store + Clone> fmt::Debug for ActiveCall<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveCall").field("context", &self.0.context).finish_non_exhaustive()
    }
}
