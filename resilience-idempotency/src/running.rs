//! The right to run, for as long as it lasts: signs of life beside the body, and a last word to the store.

use core::fmt;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::call::{Asked, IdempotentCall, blocked, ready};
use crate::context::{IdempotencyContext, Inside};
use crate::envelope::{Codec, Kept};
use crate::log::{self, Decision};
use crate::policy::{OnLeaseLost, OnUnsaved};
use crate::spawn::spawn;
use crate::store::{Store, Token, WriteOutcome};
use crate::store_error::{StoreError, StoreResult};
use resilience_core::__internal::{DeadlineTimer, Delay, Timestamp, WaitMode, now};
use resilience_core::{IdempotencyRejection, Rejected, RejectedKind};

/// A call that may run. What became of it is said by [`complete`](Self::complete), [`release`](Self::release)
/// or [`abandon`](Self::abandon); dropped without a word it is abandoned.
#[must_use = "dropped without a word, the call is abandoned"]
pub struct ActiveCall<S: Store + Clone> {
    call: IdempotentCall<S>,
    /// None where nothing protects the call, because the store did not answer.
    token: Option<Token>,
    context: IdempotencyContext,
    interrupted: bool,
    has_begun: bool,
    /// Since when the lease counts.
    renewed: Timestamp,
}

/// What the store has after a completion. Its `Debug` form does not show outcomes.
#[non_exhaustive]
pub enum Completed {
    /// The outcome of this call.
    Stored,
    /// Perhaps nothing: it did not answer until the lease was over.
    Unsaved,
    /// The outcome of another call, which took this one for dead. It is the one that counts.
    Other(Vec<u8>),
    /// The same, without its outcome.
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
    ) -> Self {
        let mut running = Self::of(call, call.context(token.fence, attempt));
        running.token = Some(token);
        running.interrupted = interrupted;
        running
    }

    /// One that nothing protects.
    pub(super) fn unguarded(call: &IdempotentCall<S>) -> Self {
        Self::of(call, call.context(0, 1))
    }

    fn of(call: &IdempotentCall<S>, context: IdempotencyContext) -> Self {
        Self {
            call: call.clone(),
            token: None,
            context,
            interrupted: false,
            has_begun: false,
            renewed: now(),
        }
    }

    /// The same, and something may have been done already.
    pub(super) fn begun(mut self) -> Self {
        self.has_begun = true;
        self
    }

    /// The call as the body sees it.
    pub fn context(&self) -> &IdempotencyContext {
        &self.context
    }

    /// Whether an earlier call with this key never said how it ended, and this one has to find out before it
    /// runs: [`OnInterrupted::Reconcile`](crate::OnInterrupted::Reconcile).
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Runs the body, with [`IdempotencyContext::current`] and signs of life beside it.
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost), with [`OnLeaseLost::Cancel`]; the body is dropped then.
    pub async fn attend<F: Future>(&mut self, body: F) -> Result<F::Output, Rejected> {
        self.has_begun = true;
        let mut renewed = self.renewed;
        let out = {
            let mut body = pin!(Inside { call: self.context.clone(), body });
            let mut beats = pin!(self.beats(&mut renewed));
            poll_fn(|cx| match body.as_mut().poll(cx) {
                Poll::Ready(out) => Poll::Ready(Some(out)),
                Poll::Pending => beats.as_mut().poll(cx).map(|()| None),
            })
            .await
        };
        self.renewed = renewed;
        out.ok_or_else(|| {
            self.call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::LeaseLost))
        })
    }

    /// The same for a body that is not async. Its store ends with the process, and so does its claim.
    pub(super) fn attend_blocking<T>(&mut self, body: impl FnOnce() -> T) -> T {
        self.has_begun = true;
        self.context.scope(body)
    }

    /// Renews the lease every third of it. Ends when the lease is gone and the body is to be dropped.
    async fn beats(&self, renewed: &mut Timestamp) {
        let (policy, key) = (&self.call.policy, &self.call.key);
        let Some(token) = self.token else { return pending().await };
        loop {
            DeadlineTimer::start(policy.lease / 3, None).await;
            let step = self.call.store.renew(key, token, policy.lease);
            // The store counts from when it is asked, which is not when the answer comes.
            let asked = now();
            match self.call.step(step).await {
                Ok(WriteOutcome::Applied) => {
                    *renewed = asked;
                    continue;
                }
                Ok(WriteOutcome::Fenced) => {
                    log::decided(policy.name, *key, "", Decision::Fenced, None)
                }
                Err(error) => {
                    log::store_error(policy.name, *key, "lease not renewed", &error);
                    if now() < renewed.plus(policy.lease) {
                        continue;
                    }
                    if policy.on_lease_lost == OnLeaseLost::Continue {
                        continue;
                    }
                }
            }
            match policy.on_lease_lost {
                OnLeaseLost::Cancel => return,
                OnLeaseLost::Continue => pending().await,
            }
        }
    }

    /// Stores the outcome. An outcome that is too long is kept as that.
    ///
    /// # Errors
    /// [`LeaseLost`](IdempotencyRejection::LeaseLost) where another call has taken this one for dead and is still
    /// running; [`StoreUnavailable`](IdempotencyRejection::StoreUnavailable) with [`OnUnsaved::Error`].
    pub async fn complete(self, outcome: &[u8]) -> Result<Completed, Rejected> {
        self.seal(Kept::Value(outcome), Codec::RAW).await
    }

    /// Stores that there was an outcome which cannot be stored: a repetition does not run.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub async fn complete_without_outcome(self) -> Result<Completed, Rejected> {
        self.seal(Kept::NotStored, Codec::RAW).await
    }

    pub(super) async fn seal(
        mut self,
        kept: Kept<'_>,
        codec: Codec,
    ) -> Result<Completed, Rejected> {
        let policy = self.call.policy;
        let bytes = self.call.seal(kept, codec);
        let Some(token) = self.token else { return Ok(Completed::Unsaved) };
        let until = self.renewed.plus(policy.lease);
        let complete = || self.call.store.complete(&self.call.key, token, &bytes, policy.ttl);
        let written = self.keep_writing(until, complete).await;
        // What could be said has been said.
        self.token = None;
        match written {
            Ok(WriteOutcome::Applied) => Ok(Completed::Stored),
            Ok(WriteOutcome::Fenced) => self.read_again(&bytes, codec).await,
            Err(error) => {
                log::store_error(policy.name, self.call.key, "completion unsaved", &error);
                log::decided(policy.name, self.call.key, "", Decision::Unsaved, None);
                match policy.on_unsaved {
                    OnUnsaved::Return => Ok(Completed::Unsaved),
                    OnUnsaved::Error => Err(self
                        .call
                        .turned_away(RejectedKind::Idempotency(
                            IdempotencyRejection::StoreUnavailable,
                        ))
                        .because(error)),
                }
            }
        }
    }

    /// Somebody has taken this call for dead. What the store has by now is the truth for everybody.
    async fn read_again(&self, bytes: &[u8], codec: Codec) -> Result<Completed, Rejected> {
        let mut call = self.call.clone();
        call.policy = call.policy.reject();
        let asked = call.ask().await.map_err(|rejected| match rejected.kind() {
            RejectedKind::Idempotency(IdempotencyRejection::InFlight)
            | RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown) => {
                self.call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::LeaseLost))
            }
            _ => rejected,
        })?;
        match asked {
            Asked::Replay(stored) => {
                log::decided(call.policy.name, call.key, "", Decision::DuplicateExecution, None);
                Ok(match call.open(&stored, codec)? {
                    Some(outcome) => Completed::Other(outcome.to_vec()),
                    None => Completed::OtherNotStored,
                })
            }
            // Nobody has anything: the other gave up, or its record is gone.
            Asked::Run(mut other) => {
                let Some(token) = other.token.take() else { return Ok(Completed::Unsaved) };
                let store = &call.store;
                let step = store.complete(&call.key, token, bytes, call.policy.ttl);
                Ok(match call.step(step).await {
                    Ok(WriteOutcome::Applied) => Completed::Stored,
                    _ => Completed::Unsaved,
                })
            }
        }
    }

    /// Gives the claim back: it is known that nothing was done. The next call with this key runs.
    pub async fn release(mut self) {
        if let Some(token) = self.token {
            let key = self.call.key;
            let written =
                self.keep_writing(self.soon(), || self.call.store.release(&key, token)).await;
            self.token = None;
            self.tell_unsaved("claim not released", written);
        }
    }

    /// Ends the claim: nobody knows what was done. What becomes of the next call with this key, the policy says.
    pub async fn abandon(mut self) {
        if let Some(token) = self.token {
            let key = self.call.key;
            let written =
                self.keep_writing(self.soon(), || self.call.store.abandon(&key, token)).await;
            self.token = None;
            self.tell_unsaved("claim not abandoned", written);
        }
    }

    fn tell_unsaved(&self, what: &str, written: StoreResult<WriteOutcome>) {
        if let Err(error) = written {
            log::store_error(self.call.policy.name, self.call.key, what, &error);
        }
    }

    /// Until when a claim is tried to be given back: nobody waits for that, because the lease ends it too.
    fn soon(&self) -> Timestamp {
        now().plus(self.call.policy.store_timeout)
    }

    /// Repeats a write whose answer was lost.
    async fn keep_writing<F: Future<Output = StoreResult<WriteOutcome>>>(
        &self,
        until: Timestamp,
        write: impl Fn() -> F,
    ) -> StoreResult<WriteOutcome> {
        let mut pauses = [50, 100, 200, 400, 800].map(Duration::from_millis).into_iter();
        // Time that has passed and that no clock shows.
        let mut unseen = Duration::ZERO;
        loop {
            let error = match self.call.step(write()).await {
                Err(error) if error.may_pass() => error,
                written => return written,
            };
            // One try at the very end, too: whoever is late is early enough where nobody has taken over.
            let left = until.since(now().plus(unseen));
            if left.is_zero() {
                return Err(error);
            }
            let pause = pauses.next().unwrap_or(Duration::from_secs(1)).min(left);
            log::store_error(self.call.policy.name, self.call.key, "repeating", &error);
            match self.call.waits {
                WaitMode::Async => {
                    let (wait, skipped) = Delay::start(pause);
                    unseen = unseen.saturating_add(skipped);
                    wait.wait().await;
                }
                WaitMode::Blocking => unseen = unseen.saturating_add(blocked(pause)),
            }
        }
    }
}

impl<S: Store + Clone> Drop for ActiveCall<S> {
    /// Nobody knows what a body has done that was dropped half-way. One that was never begun has done nothing.
    fn drop(&mut self) {
        let Some(token) = self.token.take() else { return };
        let (store, key, has_begun) = (self.call.store.clone(), self.call.key, self.has_begun);
        let last_word = async move {
            // The lease ends it, where the store does not hear of it.
            let _: Result<WriteOutcome, StoreError> = if has_begun {
                store.abandon(&key, token).await
            } else {
                store.release(&key, token).await
            };
        };
        let mut last_word = Box::pin(last_word);
        // A store that needs a runtime may panic where there is none any more.
        let said = catch_unwind(AssertUnwindSafe(|| ready(last_word.as_mut()).is_some()));
        if matches!(said, Ok(false)) {
            spawn(last_word);
        }
    }
}

impl<S: Store + Clone> fmt::Debug for ActiveCall<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveCall").field("context", &self.context).finish_non_exhaustive()
    }
}
