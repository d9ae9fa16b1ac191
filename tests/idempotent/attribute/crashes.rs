//! Interrupted calls.

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use resilience::idempotent::{IdempotencyContext, IdempotencyPolicy, Reconciled};
use resilience::{IdempotencyRejection, RejectedKind, idempotent, testing};

use super::{Answer, Failure, Runs, crash, rejected_as};

#[tokio::test]
async fn by_default_the_next_call_runs_at_once() {
    #[idempotent(key = id, scope = "global", name = "crashes.rerun")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        if runs.next() == 1 {
            pending::<()>().await;
        }
        Ok(runs.count())
    }
    let runs = Runs::default();
    crash(call(1, &runs));
    assert_eq!((call(1, &runs).await, call(1, &runs).await), (Ok(2), Ok(2)));
}

#[tokio::test]
async fn on_interrupted_unknown_rejects_the_next_call() {
    #[idempotent(key = id, scope = "global", on_interrupted = "unknown", name = "crashes.unknown")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        runs.next();
        pending().await
    }
    let runs = Runs::default();
    crash(call(1, &runs));
    for _ in 0..2 {
        assert_eq!(
            call(1, &runs).await,
            rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
        );
    }
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_call_that_was_never_polled_leaves_no_record() {
    #[idempotent(key = id, scope = "global", on_interrupted = "unknown", name = "crashes.unpolled")]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        Ok(runs.next())
    }
    let runs = Runs::default();
    drop(call(1, &runs));
    assert_eq!(call(1, &runs).await, Ok(1));
}

/// A call whose first run is lost, with a reconciliation that returns `answer`.
#[idempotent(
    key = id,
    scope = "global",
    on_interrupted = reconcile(|call: IdempotencyContext| find(call, answer)),
    name = "crashes.reconcile"
)]
async fn found(id: u32, #[skip] runs: &Runs, #[skip] answer: Reconciled<Answer>) -> Answer {
    if runs.next() == 1 {
        pending::<()>().await;
    }
    Ok(runs.count())
}

async fn find(call: IdempotencyContext, answer: Reconciled<Answer>) -> Reconciled<Answer> {
    assert_eq!((call.name(), call.attempt()), ("crashes.reconcile", 2));
    tokio::task::yield_now().await;
    answer
}

#[tokio::test]
async fn a_reconciled_outcome_is_stored() {
    let runs = Runs::default();
    crash(found(1, &runs, Reconciled::Unknown));
    assert_eq!(found(1, &runs, Reconciled::Done(Ok(70))).await, Ok(70));
    assert_eq!(
        found(1, &runs, Reconciled::Unknown).await,
        Ok(70),
        "the stored outcome is returned"
    );
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_call_reconciled_as_not_applied_runs_again() {
    let runs = Runs::default();
    crash(found(2, &runs, Reconciled::Unknown));
    assert_eq!(found(2, &runs, Reconciled::NotApplied).await, Ok(2));
    assert_eq!(found(2, &runs, Reconciled::Unknown).await, Ok(2));
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_call_reconciled_as_unknown_stays_unknown() {
    let runs = Runs::default();
    crash(found(3, &runs, Reconciled::Unknown));
    assert_eq!(
        found(3, &runs, Reconciled::Unknown).await,
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
    );
    assert_eq!(runs.count(), 1);
}

#[test]
fn a_panic_in_a_sync_function_is_an_interruption() {
    fn search(call: &IdempotencyContext) -> Reconciled<Answer> {
        if call.attempt() == 2 { Reconciled::Done(Ok(7)) } else { Reconciled::Unknown }
    }
    #[idempotent(
        key = id,
        scope = "global",
        on_interrupted = reconcile(|call| search(&call)),
        name = "crashes.sync"
    )]
    fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        runs.next();
        panic!("in the middle")
    }
    #[idempotent(key = id, scope = "global", on_interrupted = "unknown", name = "crashes.sync_unknown")]
    fn unknown(id: u32) -> Answer {
        panic!("in the middle")
    }
    let runs = Runs::default();
    let panics = |call: &dyn Fn() -> Answer| catch_unwind(AssertUnwindSafe(call)).is_err();
    assert!(panics(&|| call(1, &runs)));
    assert_eq!((call(1, &runs), call(1, &runs), runs.count()), (Ok(7), Ok(7), 1));
    assert!(panics(&|| unknown(1)));
    assert_eq!(
        unknown(1),
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
    );
}

#[tokio::test]
async fn a_policy_made_by_hand_with_a_reconciliation() {
    static PLAIN: IdempotencyPolicy = IdempotencyPolicy::new("crashes.policy");
    #[idempotent(
        policy = PLAIN,
        key = id,
        scope = "global",
        on_interrupted = reconcile(|_| ready(Reconciled::Done(Ok(7))))
    )]
    async fn call(id: u32) -> Answer {
        pending().await
    }
    crash(call(1));
    assert_eq!(call(1).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_renewals_is_dead_after_its_lease() {
    #[idempotent(
        key = id,
        scope = "global",
        lease = "30s",
        concurrent = "reject",
        on_interrupted = "unknown",
        name = "crashes.lease"
    )]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        runs.next();
        pending().await
    }
    let runs = Runs::default();
    // Neither polled again nor dropped, like the call of a stopped process.
    let mut stopped = Box::pin(call(1, &runs));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(stopped.as_mut().poll(&mut context).is_pending());
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(
        call(1, &runs).await,
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::InFlight))
    );
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(
        call(1, &runs).await,
        rejected_as(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))
    );
    drop(stopped);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_returns_the_outcome_of_its_successor() {
    #[idempotent(key = id, scope = "global", lease = "3s", name = "crashes.late")]
    async fn call(id: u32, #[skip] runs: &Runs, #[skip] wake: &tokio::sync::Notify) -> Answer {
        let run = runs.next();
        if run == 1 {
            wake.notified().await;
        }
        Ok(run)
    }
    let (runs, wake) = (Runs::default(), tokio::sync::Notify::new());
    let mut late = Box::pin(call(1, &runs, &wake));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(late.as_mut().poll(&mut context).is_pending());
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(call(1, &runs, &wake).await, Ok(2));
    wake.notify_one();
    assert_eq!(late.await, Ok(2), "both callers get the stored outcome");
}

#[tokio::test(start_paused = true)]
async fn on_lease_lost_cancel_drops_the_body() {
    #[idempotent(
        key = id,
        scope = "global",
        lease = "3s",
        on_lease_lost = "cancel",
        name = "crashes.cancel"
    )]
    async fn call(id: u32, #[skip] runs: &Runs) -> Answer {
        if runs.next() == 1 {
            pending::<()>().await;
        }
        Ok(runs.count())
    }
    let runs = Runs::default();
    let mut late = Box::pin(call(1, &runs));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(late.as_mut().poll(&mut context).is_pending());
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(call(1, &runs).await, Ok(2));
    assert_eq!(late.await, rejected_as(RejectedKind::Idempotency(IdempotencyRejection::LeaseLost)));
}

#[test]
fn a_failure_with_an_unknown_effect_is_an_interruption() {
    #[idempotent(
        key = id,
        scope = "global",
        on_interrupted = reconcile(|_| Reconciled::Done(Ok(7))),
        name = "crashes.failure"
    )]
    fn call(id: u32) -> Answer {
        Err(Failure::Lost)
    }
    let _state = testing::fresh_state();
    assert_eq!((call(1), call(1)), (Err(Failure::Lost), Ok(7)));
}

/// Repeats the call with the same key on drop.
struct Asks<'r>(&'r Runs);

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let other = std::pin::pin!(ending(1, self.0)).poll(&mut context);
        assert_eq!(
            other,
            std::task::Poll::Ready(rejected_as(RejectedKind::Idempotency(
                IdempotencyRejection::InFlight
            )))
        );
    }
}

#[idempotent(key = id, scope = "global", concurrent = "reject", name = "crashes.ending")]
async fn ending(id: u32, #[skip] runs: &Runs) -> Answer {
    if runs.next() == 1 {
        let _asks = Asks(runs);
        pending::<()>().await;
    }
    Ok(runs.count())
}

#[tokio::test]
async fn the_body_is_dropped_before_the_next_call_may_run() {
    let runs = Runs::default();
    crash(ending(1, &runs));
    assert_eq!((runs.count(), ending(1, &runs).await), (1, Ok(2)));
}
