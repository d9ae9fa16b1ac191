//! Idempotent calls inside a transaction of the caller: claim, side effect and completion commit
//! together, so the side effect happens exactly once.
//!
//! The claim is invisible until the commit, and a rollback removes the claim. A claim in a
//! transaction therefore has no lease, no takeover and no interrupted state.

use core::future::Future;
use core::time::Duration;

use crate::call::IdempotentCall;
use crate::codec::{Disposition, KeepOk, OutcomePolicy};
use crate::context::{IdempotencyContext, InContext};
use crate::envelope::Codec;
use crate::log::Decision;
use crate::owner::new_owner;
use crate::run::{disposition, replay};
use crate::store::{Claim, ClaimRequest, Store, Token, WriteOutcome};
use crate::store_error::StoreResult;
use crate::wait::poll_interval;
use resilience_core::__internal::{Delay, now};
use resilience_core::{FailureClass, FromRejected, IdempotencyRejection, Outcome, Rejected};

/// A store that can take part in a transaction `Tx` of its own database.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take part in a transaction of type `{Tx}`",
    label = "needs to be a store in the database of the transaction"
)]
pub trait TxStore<Tx: ?Sized>: Store {
    /// Claims the key until the end of the transaction.
    ///
    /// The claim never waits for another transaction. A wait for a database lock can only be
    /// cancelled together with the whole transaction.
    fn claim_in(
        &self,
        tx: &mut Tx,
        request: ClaimRequest<'_>,
    ) -> impl Future<Output = StoreResult<Claim>> + Send;

    /// Stores the outcome as a part of the transaction.
    fn complete_in(
        &self,
        tx: &mut Tx,
        request: ClaimRequest<'_>,
        outcome: &[u8],
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;
}

/// A call that may run inside a transaction.
#[derive(Debug)]
#[must_use = "a call that does not settle stores no outcome"]
pub struct TransactionCall<S>(Option<Protected<S>>);

/// A call with a key.
#[derive(Debug)]
struct Protected<S> {
    call: IdempotentCall<S>,
    token: Token,
    context: IdempotencyContext,
}

/// The result of a claim inside a transaction.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "callers match the value at once")]
pub enum ClaimedIn<S, O> {
    /// The call has claimed the key and may run.
    Run(TransactionCall<S>),
    /// An earlier call has completed with this outcome.
    Replay(O),
}

/// The `retry_after` of a call that another transaction blocks. The end of the other transaction
/// is unknown.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The maximum time between two polls. A waiting transaction holds a connection, so polls are
/// frequent.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(200);

impl<S: Store + Clone> IdempotentCall<S> {
    /// Runs a body once for this key inside a transaction.
    ///
    /// The caller commits the transaction after a success and rolls the transaction back after a
    /// failure. The changes that the body makes in the transaction then happen exactly once.
    ///
    /// # Errors
    /// The error of the body, or a [`Rejected`] converted to the error type.
    pub async fn run_in<Tx: ?Sized, T, E, By>(
        self,
        tx: &mut Tx,
        body: impl AsyncFnOnce(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E>
    where
        S: TxStore<Tx>,
        Result<T, E>: Outcome<Err = E>,
        KeepOk: OutcomePolicy<Result<T, E>>,
        E: FromRejected<By>,
    {
        let class = |_: &E| FailureClass::transient();
        let active = match self.acquire_in(tx, &KeepOk).await.map_err(E::from_rejected)? {
            ClaimedIn::Run(active) => active,
            ClaimedIn::Replay(out) => return out,
        };
        let out = active.run(body(tx)).await;
        let settled = active.settle(tx, &KeepOk, class, out).await;
        settled.unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }

    /// Claims the key inside a transaction, or returns the committed outcome of an earlier call.
    /// While another transaction holds the key, the call waits as long as the policy allows.
    ///
    /// # Errors
    /// [`Rejected`] with any [`IdempotencyRejection`] from
    /// [`KeyReused`](IdempotencyRejection::KeyReused) on. A failed store always rejects the call,
    /// because the transaction runs on the same database.
    pub(super) async fn acquire_in<Tx: ?Sized, O>(
        self,
        tx: &mut Tx,
        outcomes: &impl OutcomePolicy<O>,
    ) -> Result<ClaimedIn<S, O>, Rejected>
    where
        S: TxStore<Tx>,
    {
        self.check_deadline()?;
        let begin = now();
        // Waits that a test skips pass on no clock, so they are added up here.
        let mut skipped = Duration::ZERO;
        let owner = new_owner(begin);
        let takeover = self.policy.takeover();
        let mut polls = 0;
        loop {
            let claim = self.store.claim_in(tx, self.request(owner, takeover)).await;
            let claim = claim.map_err(|error| self.reject_unavailable(error))?;
            match claim {
                Claim::Acquired { token, attempt } => {
                    self.log_decision(Decision::Acquired { attempt, fence: token.fence }, begin);
                    let context = self.context(token.fence, attempt);
                    let call = Protected { call: self, token, context };
                    return Ok(ClaimedIn::Run(TransactionCall(Some(call))));
                }
                Claim::Replay(bytes) => {
                    self.log_decision(Decision::Replayed, begin);
                    return replay(&self, outcomes, &bytes).map(ClaimedIn::Replay);
                }
                Claim::Mismatch => return Err(self.reject(IdempotencyRejection::KeyReused)),
                Claim::Interrupted { .. } => {
                    return Err(self.reject(IdempotencyRejection::OutcomeUnknown));
                }
                Claim::InFlight { lease_left } => {
                    let left = self.time_left(begin, skipped).filter(|left| !left.is_zero());
                    let Some(left) = left else {
                        return Err(self.reject_in_flight(lease_left.min(RETRY_AFTER)));
                    };
                    let delay = poll_interval(polls).min(left).min(MAX_POLL_INTERVAL);
                    polls += 1;
                    let (wait, time) = Delay::start(delay);
                    skipped = skipped.saturating_add(time);
                    wait.wait().await;
                }
            }
        }
    }
}

/// Claims the key of a call, if the call has a key.
///
/// # Errors
/// [`Rejected`] if the call is rejected.
pub async fn claim_in<O, S, Tx, K>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    outcomes: &K,
    tx: &mut Tx,
) -> Result<ClaimedIn<S, O>, Rejected>
where
    S: TxStore<Tx> + Clone,
    Tx: ?Sized,
    K: OutcomePolicy<O>,
{
    match call? {
        Some(call) => call.acquire_in(tx, outcomes).await,
        None => Ok(ClaimedIn::Run(TransactionCall(None))),
    }
}

impl<S: Store + Clone> TransactionCall<S> {
    /// Runs the body inside of [`IdempotencyContext::current`].
    pub async fn run<F: Future>(&self, body: F) -> F::Output {
        match &self.0 {
            Some(Protected { context, .. }) => InContext { call: context.clone(), body }.await,
            None => body.await,
        }
    }

    /// Stores the outcome as a part of the transaction.
    ///
    /// # Errors
    /// [`Rejected`] if the outcome cannot be stored. The caller must not commit the transaction
    /// then.
    pub async fn settle<Tx: ?Sized, O: Outcome>(
        self,
        tx: &mut Tx,
        outcomes: &impl OutcomePolicy<O>,
        class: impl FnOnce(&O::Err) -> FailureClass,
        out: O,
    ) -> Result<O, Rejected>
    where
        S: TxStore<Tx>,
    {
        let Some(Protected { call, token, .. }) = self.0 else { return Ok(out) };
        if disposition(&call, outcomes, class, &out, false) != Disposition::Store {
            return Ok(out);
        }
        let bytes = call.seal(Codec::JSON, |bytes| outcomes.encode(&out, bytes));
        let request = call.request(token.owner, call.policy.takeover());
        match call.store.complete_in(tx, request, &bytes).await {
            Ok(WriteOutcome::Applied) => Ok(out),
            // No effect is committed yet, so the rejection makes the caller roll back.
            Ok(WriteOutcome::Fenced) => Err(call.reject(IdempotencyRejection::LeaseLost)),
            Err(error) => Err(call.reject_unavailable(error)),
        }
    }
}
