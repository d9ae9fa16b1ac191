//! Claim, effect and completion in one transaction of the caller's: the effect happens exactly once.
//!
//! Nothing is seen of the claim before the transaction is committed, and nothing is left of it when it is not:
//! no lease, no takeover, nobody to find out what became of it.

use core::future::Future;
use core::time::Duration;

use crate::call::{IdempotentCall, poll_interval};
use crate::codec::{Keep, KeepOk, Keeps};
use crate::context::{IdempotencyContext, Inside};
use crate::envelope::Codec;
use crate::log::Decision;
use crate::run::{judge, replay, written};
use crate::store::{Claim, ClaimRequest, Store, Token, WriteOutcome};
use crate::store_error::StoreResult;
use resilience_core::__internal::unique_id;
use resilience_core::__internal::{Delay, now};
use resilience_core::FailureClass;
use resilience_core::Outcome;
use resilience_core::{FromRejected, IdempotencyRejection, Rejected, RejectedKind};

/// A store that can take part in a transaction `Tx` of the same database.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot take part in a transaction of type `{Tx}`",
    label = "needs to be a store in the database of the transaction"
)]
pub trait TxStore<Tx: ?Sized>: Store {
    /// Takes the key for the rest of the transaction, or says why not. Never waits for another transaction:
    /// who has begun to wait for a lock cannot stop without losing his own transaction.
    fn claim_in(
        &self,
        tx: &mut Tx,
        request: ClaimRequest<'_>,
    ) -> impl Future<Output = StoreResult<Claim>> + Send;

    /// Stores the outcome, for when the transaction is committed.
    fn complete_in(
        &self,
        tx: &mut Tx,
        request: ClaimRequest<'_>,
        outcome: &[u8],
    ) -> impl Future<Output = StoreResult<WriteOutcome>> + Send;
}

/// The right to run inside of a transaction. Until that is committed, nothing has happened.
#[derive(Debug)]
#[must_use = "without a word the call is as if it had never been"]
pub struct RunningIn<S>(Option<Protected<S>>);

/// A call that has a key.
#[derive(Debug)]
struct Protected<S> {
    call: IdempotentCall<S>,
    token: Token,
    context: IdempotencyContext,
}

/// The answer to a call inside of a transaction.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
pub enum ClaimedIn<S, O> {
    /// It may run.
    Run(RunningIn<S>),
    /// It has run before, and this came of it.
    Replay(O),
}

impl<S: Store + Clone> IdempotentCall<S> {
    /// Runs a body once for this key, inside of a transaction that the caller commits when it has succeeded,
    /// and rolls back when it has not: what the body does in it happens exactly once.
    ///
    /// # Errors
    /// Those of the body, and a [`Rejected`] as one of them.
    pub async fn run_in<Tx: ?Sized, T, E>(
        self,
        tx: &mut Tx,
        body: impl AsyncFnOnce(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E>
    where
        S: TxStore<Tx>,
        Result<T, E>: Outcome<Err = E>,
        KeepOk: Keeps<Result<T, E>>,
        E: FromRejected,
    {
        let class = |_: &E| FailureClass::transient();
        let asked = self.ask_in(tx, &KeepOk).await.map_err(E::from_rejected)?;
        let running = match asked {
            ClaimedIn::Run(running) => running,
            ClaimedIn::Replay(out) => return out,
        };
        let out = running.attend(body(tx)).await;
        let settled = running.settle(tx, &KeepOk, class, out).await;
        settled.unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }

    /// Claims the key inside of a transaction, or has the outcome of the call that was committed before.
    /// While another transaction has the key, waits as long as the policy says.
    ///
    /// # Errors
    /// Any kind of [`Rejected`] from [`KeyReused`](IdempotencyRejection::KeyReused) on. A store that does not answer
    /// is always an error here, because the transaction is on it.
    pub(super) async fn ask_in<Tx: ?Sized, O>(
        self,
        tx: &mut Tx,
        keeps: &impl Keeps<O>,
    ) -> Result<ClaimedIn<S, O>, Rejected>
    where
        S: TxStore<Tx>,
    {
        let begin = now();
        let owner = unique_id();
        let takeover = self.policy.takeover();
        let mut polls = 0;
        loop {
            let claim = self.store.claim_in(tx, self.request(owner, takeover)).await;
            let claim = claim.map_err(|error| self.unavailable(error))?;
            match claim {
                Claim::Acquired { token, attempt } => {
                    self.told(Decision::Acquired { attempt, fence: token.fence }, begin);
                    let context = self.context(token.fence, attempt);
                    let call = Protected { call: self, token, context };
                    return Ok(ClaimedIn::Run(RunningIn(Some(call))));
                }
                Claim::Replay(bytes) => {
                    self.told(Decision::Replayed, begin);
                    return replay(&self, keeps, &bytes).map(ClaimedIn::Replay);
                }
                Claim::Mismatch => {
                    return Err(self
                        .turned_away(RejectedKind::Idempotency(IdempotencyRejection::KeyReused)));
                }
                Claim::Interrupted { .. } => {
                    return Err(self.turned_away(RejectedKind::Idempotency(
                        IdempotencyRejection::OutcomeUnknown,
                    )));
                }
                Claim::InFlight { lease_left } => {
                    let left = self.time_left(begin).filter(|left| !left.is_zero());
                    let Some(left) = left else {
                        return Err(self.in_flight(lease_left.min(AGAIN)));
                    };
                    let pause = poll_interval(polls).min(left).min(LONGEST);
                    polls += 1;
                    Delay::start(pause).0.wait().await;
                }
            }
        }
    }
}

/// When it is worth asking again after a transaction of which nobody knows when it ends.
const AGAIN: Duration = Duration::from_secs(1);

/// A transaction that is waited for holds a connection: it is asked often.
const LONGEST: Duration = Duration::from_millis(200);

/// Claims the key of a call, where it has one.
///
/// # Errors
/// The rejection, where the call was turned away.
pub async fn claim_in<O, S, Tx, K>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    keeps: &K,
    tx: &mut Tx,
) -> Result<ClaimedIn<S, O>, Rejected>
where
    S: TxStore<Tx> + Clone,
    Tx: ?Sized,
    K: Keeps<O>,
{
    match call? {
        Some(call) => call.ask_in(tx, keeps).await,
        None => Ok(ClaimedIn::Run(RunningIn(None))),
    }
}

impl<S: Store + Clone> RunningIn<S> {
    /// Runs the body, with [`IdempotencyContext::current`].
    pub async fn attend<F: Future>(&self, body: F) -> F::Output {
        match &self.0 {
            Some(Protected { context, .. }) => Inside { call: context.clone(), body }.await,
            None => body.await,
        }
    }

    /// Stores what is to be stored, for when the transaction is committed.
    ///
    /// # Errors
    /// The rejection, where it could not be stored. The transaction is not to be committed then.
    pub async fn settle<Tx: ?Sized, O: Outcome>(
        self,
        tx: &mut Tx,
        keeps: &impl Keeps<O>,
        class: impl FnOnce(&O::Err) -> FailureClass,
        out: O,
    ) -> Result<O, Rejected>
    where
        S: TxStore<Tx>,
    {
        let Some(Protected { call, token, .. }) = self.0 else { return Ok(out) };
        if judge(&call, keeps, class, &out) != Keep::Store {
            return Ok(out);
        }
        let mut bytes = Vec::new();
        let bytes = call.seal(written(keeps, &out, &mut bytes), Codec::JSON);
        match call
            .store
            .complete_in(tx, call.request(token.owner, call.policy.takeover()), &bytes)
            .await
        {
            Ok(WriteOutcome::Applied) => Ok(out),
            // Nothing has happened yet: the transaction is not to be committed.
            Ok(WriteOutcome::Fenced) => {
                Err(call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::LeaseLost)))
            }
            Err(error) => Err(call.unavailable(error)),
        }
    }
}
