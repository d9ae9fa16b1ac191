//! The runner: claims the key before the body, and writes the outcome after the body.

use core::future::{Future, Ready, ready};
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::active_call::{ActiveCall, Completed};
use crate::call::{Acquisition, IdempotentCall};
use crate::codec::{Disposition, KeepOk, OutcomePolicy};
use crate::context::IdempotencyContext;
use crate::envelope::Codec;
use crate::policy::OnInterrupted;
use crate::store::{BlockingStore, Store};
use crate::wait::now_or_never;
use resilience_core::__internal::WaitMode;
use resilience_core::{
    Effect, FailureClass, FromRejected, IdempotencyRejection, Outcome, Rejected,
};

/// The result of reconciling an interrupted call: whether the earlier call applied its side
/// effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled<O> {
    /// The side effect was applied, with this outcome. The outcome is stored and returned.
    Done(O),
    /// The side effect was not applied. The body runs.
    NotApplied,
    /// The state is unknown. The call is rejected.
    Unknown,
}

impl<S: Store + Clone> IdempotentCall<S> {
    /// Runs an async body once for this key, and returns the outcome of the first completed call.
    ///
    /// A success is stored. A failure is not stored, so the next call runs again.
    ///
    /// # Errors
    /// The error of the body, or a [`Rejected`] converted to the error type.
    pub async fn run_async<T, E, By>(self, body: impl Future<Output = Result<T, E>>) -> Result<T, E>
    where
        Result<T, E>: Outcome<Err = E>,
        KeepOk: OutcomePolicy<Result<T, E>>,
        E: FromRejected<By>,
    {
        let class = |_: &E| FailureClass::transient();
        run_async(Ok(Some(self)), &KeepOk, class, not_reconciled, body)
            .await
            .unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }

    /// Runs a body that is not async once for this key, with a [`BlockingStore`]. Waits block the
    /// thread.
    ///
    /// # Errors
    /// The error of the body, or a [`Rejected`] converted to the error type.
    pub fn run<T, E, By>(self, body: impl FnOnce() -> Result<T, E>) -> Result<T, E>
    where
        S: BlockingStore,
        Result<T, E>: Outcome<Err = E>,
        KeepOk: OutcomePolicy<Result<T, E>>,
        E: FromRejected<By>,
    {
        let class = |_: &E| FailureClass::transient();
        run(Ok(Some(self)), &KeepOk, class, |_| Reconciled::Unknown, body)
            .unwrap_or_else(|rejected| Err(E::from_rejected(rejected)))
    }
}

/// Reconciles nothing. The function of a policy without `Reconcile`.
pub fn not_reconciled<O>(_: IdempotencyContext) -> Ready<Reconciled<O>> {
    ready(Reconciled::Unknown)
}

/// A body that stays in the future of the annotated function.
///
/// A body passed by value would be copied into several nested futures of the runner, and nested
/// steps would multiply that size. Dropping this value drops the body, so the body ends before the
/// final write to the store.
#[derive(Debug)]
pub struct PinnedBody<'b, F>(pub Pin<&'b mut Option<F>>);

impl<F: Future> Future for PinnedBody<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.0.as_mut().as_pin_mut() {
            Some(body) => body.poll(cx),
            // Unreachable: only `drop` removes the body.
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for PinnedBody<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Runs an async body once for the key of `call`.
///
/// # Errors
/// [`Rejected`] if the call is rejected.
#[expect(clippy::manual_async_fn, reason = "an `async fn` would store each argument twice")]
pub fn run_async<O, S, K, R>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    outcomes: &K,
    class: impl FnOnce(&O::Err) -> FailureClass,
    reconcile: impl FnOnce(IdempotencyContext) -> R,
    body: impl Future<Output = O>,
) -> impl Future<Output = Result<O, Rejected>>
where
    O: Outcome,
    S: Store + Clone,
    K: OutcomePolicy<O>,
    R: Future<Output = Reconciled<O>>,
{
    async move {
        let call = match call {
            Ok(Some(ref call)) => call,
            // A call without its optional key runs unprotected.
            Ok(None) => return Ok(body.await),
            Err(rejected) => return Err(rejected),
        };
        let mut active = match call.acquire().await? {
            Acquisition::Run(active) => active,
            Acquisition::Replay(bytes) => return replay(call, outcomes, &bytes),
        };
        if active.is_interrupted() {
            // Boxed, because an interrupted call is rare.
            match Box::pin(reconcile_first(call, active, outcomes, reconcile)).await? {
                ControlFlow::Break(out) => return Ok(out),
                ControlFlow::Continue(not_applied) => active = not_applied,
            }
        }
        let out = active.run(body).await?;
        let has_lost_attempt = active.context().has_lost_attempt();
        let disposition = disposition(call, outcomes, class, &out, has_lost_attempt);
        settle(call, active, outcomes, disposition, out).await
    }
}

/// Reconciles an interrupted call. Returns the outcome of the call, or the claim to run the body.
async fn reconcile_first<O: Outcome, S: Store + Clone, R: Future<Output = Reconciled<O>>>(
    call: &IdempotentCall<S>,
    mut active: ActiveCall<S>,
    outcomes: &impl OutcomePolicy<O>,
    reconcile: impl FnOnce(IdempotencyContext) -> R,
) -> Result<ControlFlow<O, ActiveCall<S>>, Rejected> {
    let context = active.context().clone();
    match active.run(reconcile(context)).await? {
        Reconciled::Done(out) => {
            let out = settle(call, active, outcomes, Disposition::Store, out).await?;
            Ok(ControlFlow::Break(out))
        }
        Reconciled::NotApplied => Ok(ControlFlow::Continue(active)),
        Reconciled::Unknown => {
            active.abandon().await;
            Err(call.reject(IdempotencyRejection::OutcomeUnknown))
        }
    }
}

/// Runs a body that is not async once for the key of `call`. Waits block the thread.
///
/// # Errors
/// [`Rejected`] if the call is rejected.
pub fn run<O, S, K>(
    call: Result<Option<IdempotentCall<S>>, Rejected>,
    outcomes: &K,
    class: impl FnOnce(&O::Err) -> FailureClass,
    reconcile: impl FnOnce(IdempotencyContext) -> Reconciled<O>,
    body: impl FnOnce() -> O,
) -> Result<O, Rejected>
where
    O: Outcome,
    S: BlockingStore + Clone,
    K: OutcomePolicy<O>,
{
    let Some(mut call) = call? else { return Ok(body()) };
    call.wait_mode = WaitMode::Blocking;
    // A blocking store is ready at the first poll. A store that is not ready breaks the contract.
    let not_ready = |call: &IdempotentCall<S>| call.reject(IdempotencyRejection::StoreUnavailable);
    let acquired = now_or_never(call.acquire()).unwrap_or_else(|| Err(not_ready(&call)))?;
    let mut active = match acquired {
        Acquisition::Run(active) => active,
        Acquisition::Replay(bytes) => return replay(&call, outcomes, &bytes),
    };
    let (mut disposition, mut reconciled) = (Disposition::Store, None);
    if active.is_interrupted() {
        let context = active.context().clone();
        match active.run_blocking(|| reconcile(context)) {
            Reconciled::Done(out) => reconciled = Some(out),
            Reconciled::NotApplied => {}
            Reconciled::Unknown => {
                drop(active);
                return Err(call.reject(IdempotencyRejection::OutcomeUnknown));
            }
        }
    }
    let out = reconciled.unwrap_or_else(|| {
        let out = active.run_blocking(body);
        let has_lost_attempt = active.context().has_lost_attempt();
        disposition = self::disposition(&call, outcomes, class, &out, has_lost_attempt);
        out
    });
    let settled = now_or_never(settle(&call, active, outcomes, disposition, out));
    // The body has run, so the call was sent.
    settled.unwrap_or_else(|| Err(not_ready(&call).with_effect(Effect::Unknown)))
}

/// Returns the disposition of the outcome of a body.
pub(super) fn disposition<O: Outcome, S: Store + Clone>(
    call: &IdempotentCall<S>,
    outcomes: &impl OutcomePolicy<O>,
    class: impl FnOnce(&O::Err) -> FailureClass,
    out: &O,
    has_lost_attempt: bool,
) -> Disposition {
    let class = out.as_result().err().map(class);
    if let Some(disposition) = outcomes.disposition(out, class.as_ref()) {
        return disposition;
    }
    let not_applied = class.is_some_and(|class| class.effect.is_not_applied()) && !has_lost_attempt;
    // With `Rerun` the next call runs in any case, so a release saves the wait for the end of the
    // lease.
    if not_applied || call.policy.on_interrupted == OnInterrupted::Rerun {
        Disposition::Release
    } else {
        Disposition::Abandon
    }
}

/// Ends the claim, and returns the outcome that counts.
#[expect(clippy::manual_async_fn, reason = "an `async fn` would store each argument twice")]
fn settle<O: Outcome, S: Store + Clone>(
    call: &IdempotentCall<S>,
    active: ActiveCall<S>,
    outcomes: &impl OutcomePolicy<O>,
    disposition: Disposition,
    out: O,
) -> impl Future<Output = Result<O, Rejected>> {
    async move {
        let completed = match disposition {
            Disposition::Store => {
                let sealed = call.seal(Codec::JSON, |bytes| outcomes.encode(&out, bytes));
                active.store_outcome(sealed, Codec::JSON).await?
            }
            Disposition::Release => {
                active.release().await;
                return Ok(out);
            }
            Disposition::Abandon => {
                active.abandon().await;
                return Ok(out);
            }
        };
        match completed {
            Completed::Stored | Completed::Unsaved => Ok(out),
            Completed::Other(bytes) => decode(call, outcomes, &bytes),
            Completed::OtherNotStored => Err(call.reject(IdempotencyRejection::NotStored)),
        }
    }
}

/// Decodes the stored outcome of an earlier call.
pub(super) fn replay<O, S: Store + Clone>(
    call: &IdempotentCall<S>,
    outcomes: &impl OutcomePolicy<O>,
    bytes: &[u8],
) -> Result<O, Rejected> {
    match call.open(bytes, Codec::JSON)? {
        Some(value) => decode(call, outcomes, value),
        None => Err(call.reject(IdempotencyRejection::NotStored)),
    }
}

fn decode<O, S: Store + Clone>(
    call: &IdempotentCall<S>,
    outcomes: &impl OutcomePolicy<O>,
    bytes: &[u8],
) -> Result<O, Rejected> {
    outcomes
        .decode(bytes)
        .map_err(|error| call.reject(IdempotencyRejection::Undecodable).because(error))
}
