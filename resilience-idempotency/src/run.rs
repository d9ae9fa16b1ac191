//! A body around which everything else is done: the claim before it, the last word after it.

use core::future::{Future, Ready, ready as at_once};

use crate::call::{Asked, IdempotentCall, ready};
use crate::codec::{Keep, KeepOk, Keeps};
use crate::context::IdempotencyContext;
use crate::envelope::{Codec, Kept};
use crate::policy::OnInterrupted;
use crate::running::{ActiveCall, Completed};
use crate::store::{BlockingStore, Store};
use resilience_core::__internal::WaitMode;
use resilience_core::FailureClass;
use resilience_core::Outcome;
use resilience_core::{FromRejected, IdempotencyRejection, Rejected, RejectedKind};

/// What has become of a call that never said how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled<O> {
    /// It was done, and this came of it: it is stored and returned.
    Done(O),
    /// It was not done: this call does it.
    NotApplied,
    /// It cannot be found out: the call is turned away.
    Unknown,
}

impl<S: Store + Clone> IdempotentCall<S> {
    /// Runs an async body once for this key, and returns what came of it the first time. A success is stored;
    /// a failure is not, and the next call runs again.
    ///
    /// # Errors
    /// Those of the body, and a [`Rejected`] as one of them.
    pub async fn run_async<T, E>(self, body: impl Future<Output = Result<T, E>>) -> Result<T, E>
    where
        Result<T, E>: Outcome<Err = E>,
        KeepOk: Keeps<Result<T, E>>,
        E: FromRejected,
    {
        let class = |_: &E| FailureClass::transient();
        run_async(Ok(Some(self)), &KeepOk, class, not_reconciled, body)
            .await
            .unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }

    /// The same for a body that is not async, with a store that needs no runtime.
    ///
    /// # Errors
    /// Those of the body, and a [`Rejected`] as one of them.
    pub fn run<T, E>(self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E>
    where
        S: BlockingStore,
        Result<T, E>: Outcome<Err = E>,
        KeepOk: Keeps<Result<T, E>>,
        E: FromRejected,
    {
        let class = |_: &E| FailureClass::transient();
        run(Ok(Some(self)), &KeepOk, class, |_| Reconciled::Unknown, body)
            .unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }
}

/// For a policy that never asks.
pub fn not_reconciled<O>(_: IdempotencyContext) -> Ready<Reconciled<O>> {
    at_once(Reconciled::Unknown)
}

/// Runs a body once for its key.
///
/// # Errors
/// The rejection, where the call was turned away.
pub async fn run_async<O, S, K, R>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    keeps: &K,
    class: impl FnOnce(&O::Err) -> FailureClass,
    reconcile: impl FnOnce(IdempotencyContext) -> R,
    body: impl Future<Output = O>,
) -> Result<O, Rejected>
where
    O: Outcome,
    S: Store + Clone,
    K: Keeps<O>,
    R: Future<Output = Reconciled<O>>,
{
    // Without a key, where that is allowed, nothing protects the call.
    let Some(call) = call? else { return Ok(body.await) };
    let mut running = match call.ask().await? {
        Asked::Run(running) => running,
        Asked::Replay(bytes) => return replay(&call, keeps, &bytes),
    };
    if running.is_interrupted() {
        let context = running.context().clone();
        match running.attend(reconcile(context)).await? {
            Reconciled::Done(out) => return settle(&call, running, keeps, Keep::Store, out).await,
            Reconciled::NotApplied => {}
            Reconciled::Unknown => {
                running.abandon().await;
                return Err(call
                    .turned_away(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)));
            }
        }
    }
    let out = running.attend(body).await?;
    let keep = judge(&call, keeps, class, &out);
    settle(&call, running, keeps, keep, out).await
}

/// Runs a body once for its key, and blocks the thread meanwhile.
///
/// # Errors
/// The rejection, where the call was turned away.
pub fn run<O, S, K>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    keeps: &K,
    class: impl FnOnce(&O::Err) -> FailureClass,
    reconcile: impl FnOnce(IdempotencyContext) -> Reconciled<O>,
    body: impl FnOnce() -> O,
) -> Result<O, Rejected>
where
    O: Outcome,
    S: BlockingStore + Clone,
    K: Keeps<O>,
{
    let Some(mut call) = call? else { return Ok(body()) };
    call.waits = WaitMode::Blocking;
    // Nothing here waits otherwise than by blocking.
    let blocked = |call: &IdempotentCall<S>| {
        call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable))
    };
    let mut running = match ready(call.ask()).unwrap_or_else(|| Err(blocked(&call)))? {
        Asked::Run(running) => running,
        Asked::Replay(bytes) => return replay(&call, keeps, &bytes),
    };
    let (mut keep, mut found) = (Keep::Store, None);
    if running.is_interrupted() {
        let context = running.context().clone();
        match running.attend_blocking(|| reconcile(context)) {
            Reconciled::Done(out) => found = Some(out),
            Reconciled::NotApplied => {}
            Reconciled::Unknown => {
                drop(running);
                return Err(call
                    .turned_away(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)));
            }
        }
    }
    let out = found.unwrap_or_else(|| {
        let out = running.attend_blocking(body);
        keep = judge(&call, keeps, class, &out);
        out
    });
    ready(settle(&call, running, keeps, keep, out)).unwrap_or_else(|| Err(blocked(&call)))
}

/// What is done with the record of a body that has ended.
pub(super) fn judge<O: Outcome, S: Store + Clone>(
    call: &IdempotentCall<S>,
    keeps: &impl Keeps<O>,
    class: impl FnOnce(&O::Err) -> FailureClass,
    out: &O,
) -> Keep {
    let class = out.as_result().err().map(class);
    if let Some(keep) = keeps.keep(out, class.as_ref()) {
        return keep;
    }
    let unapplied = class.is_some_and(|class| class.effect.is_not_applied());
    // Whoever runs again in any case may do so at once.
    if unapplied || call.policy.on_interrupted == OnInterrupted::Rerun {
        Keep::Release
    } else {
        Keep::Abandon
    }
}

/// Tells the store, and returns what counts.
async fn settle<O: Outcome, S: Store + Clone>(
    call: &IdempotentCall<S>,
    running: ActiveCall<S>,
    keeps: &impl Keeps<O>,
    keep: Keep,
    out: O,
) -> Result<O, Rejected> {
    let completed = match keep {
        Keep::Store => {
            let mut bytes = Vec::new();
            let kept = written(keeps, &out, &mut bytes);
            running.seal(kept, Codec::JSON).await?
        }
        Keep::Release => {
            running.release().await;
            return Ok(out);
        }
        Keep::Abandon => {
            running.abandon().await;
            return Ok(out);
        }
    };
    match completed {
        Completed::Stored | Completed::Unsaved => Ok(out),
        Completed::Other(bytes) => decode(call, keeps, &bytes),
        Completed::OtherNotStored => {
            Err(call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::NotStored)))
        }
    }
}

/// An outcome that is to be stored, as far as it can be.
pub(super) fn written<'b, O>(keeps: &impl Keeps<O>, out: &O, bytes: &'b mut Vec<u8>) -> Kept<'b> {
    match keeps.encode(out, bytes) {
        Ok(()) => Kept::Value(bytes),
        Err(error) if error.is_meant() => Kept::NotStored,
        // The effect has happened: that must not be forgotten.
        Err(_) => Kept::Unwritten,
    }
}

pub(super) fn replay<O, S: Store + Clone>(
    call: &IdempotentCall<S>,
    keeps: &impl Keeps<O>,
    bytes: &[u8],
) -> Result<O, Rejected> {
    match call.open(bytes, Codec::JSON)? {
        Some(value) => decode(call, keeps, value),
        None => Err(call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::NotStored))),
    }
}

fn decode<O, S: Store + Clone>(
    call: &IdempotentCall<S>,
    keeps: &impl Keeps<O>,
    bytes: &[u8],
) -> Result<O, Rejected> {
    keeps.decode(bytes).map_err(|error| {
        call.turned_away(RejectedKind::Idempotency(IdempotencyRejection::Undecodable))
            .because(error)
    })
}
