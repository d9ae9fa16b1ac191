//! Callers that leave while their claim is under way, and bodies that never end.

use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use resilience::idempotent::testing::{InjectedFault, StoreOp};
use resilience::idempotent::{
    Claimed, IdempotencyPolicy, OnInterrupted, OnLeaseLost, OnStoreError, Store, StoreErrorKind,
};
use resilience::{IdempotencyRejection, Rejected, RejectedKind};
use tokio::time::{Instant, sleep, timeout};

use super::calls::{Faulty, POLICY, UNKNOWN, call, ms, store};

const RECONCILE: IdempotencyPolicy = POLICY.on_interrupted(OnInterrupted::Reconcile);

fn reason(rejected: &Rejected) -> IdempotencyRejection {
    match rejected.kind() {
        RejectedKind::Idempotency(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// Makes a call that returns 7, without a wait for other calls.
async fn run(policy: IdempotencyPolicy, store: &Faulty) -> Result<u32, Rejected> {
    call(policy.reject(), store, "k").run_async(async { Ok(7) }).await
}

/// The claim is applied, and the caller leaves before the answer arrives.
#[tokio::test(start_paused = true)]
async fn a_claim_whose_caller_leaves_is_given_back() {
    for policy in [POLICY, UNKNOWN, RECONCILE] {
        let store = store();
        store.script(StoreOp::Claim, [InjectedFault::DelayReply(ms(300))]);
        let left = timeout(ms(120), run(policy, &store)).await;
        assert!(left.is_err(), "the caller has left");
        sleep(ms(1)).await;
        assert_eq!(store.interrupted(9).await.expect("a list"), []);
        assert_eq!(run(policy, &store).await, Ok(7), "well before the lease ends");
        assert_eq!((store.calls(StoreOp::Release), store.calls(StoreOp::Abandon)), (1, 0));
    }
}

/// The caller leaves a claim by hand, as an HTTP server does for a client that hangs up.
#[tokio::test(start_paused = true)]
async fn a_claim_by_hand_whose_caller_leaves_is_given_back() {
    let store = store();
    store.script(StoreOp::Claim, [InjectedFault::DelayReply(ms(300))]);
    assert!(timeout(ms(120), call(UNKNOWN, &store, "k").claim()).await.is_err());
    sleep(ms(1)).await;
    assert!(matches!(call(UNKNOWN, &store, "k").claim().await, Ok(Claimed::Run(_))));
}

/// The caller leaves while waiting for another call, in the claim that takes the key over.
#[tokio::test(start_paused = true)]
async fn a_waiting_claim_whose_caller_leaves_is_given_back() {
    let store = store();
    let Ok(Claimed::Run(holder)) = call(UNKNOWN, &store, "k").claim().await else { panic!() };
    let waiter = {
        let (call, store) = (call(UNKNOWN, &store, "k"), store.clone());
        tokio::spawn(async move {
            store.script(StoreOp::Claim, [InjectedFault::Nothing, InjectedFault::Nothing]);
            store.always(StoreOp::Claim, InjectedFault::DelayReply(ms(300)));
            call.run_async(async { Ok::<_, Rejected>(1) }).await
        })
    };
    sleep(ms(10)).await;
    holder.release().await;
    // The record wakes the waiter, whose next claim is applied without an answer.
    sleep(ms(10)).await;
    waiter.abort();
    sleep(ms(1)).await;
    store.always(StoreOp::Claim, InjectedFault::Nothing);
    sleep(ms(1000)).await;
    assert_eq!(run(UNKNOWN, &store).await, Ok(7));
}

/// Every answer is lost. The caller is rejected without a run, so the key stays free.
#[tokio::test(start_paused = true)]
async fn a_claim_without_an_answer_is_given_back() {
    for fault in [InjectedFault::LoseReply, InjectedFault::HangAfter] {
        for policy in [POLICY, UNKNOWN] {
            let store = store();
            store.script(StoreOp::Claim, [fault; 3]);
            let rejected = run(policy, &store).await.expect_err("no answer");
            assert_eq!(reason(&rejected), IdempotencyRejection::StoreUnavailable);
            sleep(ms(1)).await;
            assert_eq!(run(policy, &store).await, Ok(7));
        }
    }
}

/// The store stays silent for a while after the caller has left.
#[tokio::test(start_paused = true)]
async fn a_claim_is_given_back_when_the_store_answers_again() {
    let store = store();
    store.always(StoreOp::Claim, InjectedFault::HangAfter);
    store.always(StoreOp::Release, InjectedFault::Fail(StoreErrorKind::Unavailable));
    assert!(timeout(ms(120), run(UNKNOWN, &store)).await.is_err());
    sleep(ms(3000)).await;
    store.always(StoreOp::Claim, InjectedFault::Nothing);
    sleep(ms(4000)).await;
    store.always(StoreOp::Release, InjectedFault::Nothing);
    sleep(ms(10_000)).await;
    assert_eq!(run(UNKNOWN, &store).await, Ok(7));
}

/// The steps that give a claim back end with the lease, and grow rare before.
#[tokio::test(start_paused = true)]
async fn a_silent_store_is_asked_a_few_times_after_the_caller_has_left() {
    let store = store();
    store.always(StoreOp::Claim, InjectedFault::Fail(StoreErrorKind::Unavailable));
    assert!(run(POLICY, &store).await.is_err());
    sleep(ms(29_000)).await;
    let before = store.calls(StoreOp::Claim);
    sleep(ms(1010)).await;
    let claims = store.calls(StoreOp::Claim);
    assert!((8..=14).contains(&claims), "{claims} claims");
    assert_eq!(claims, before + 1, "the last claim is at the end of the lease");
    sleep(ms(90_000)).await;
    assert_eq!(store.calls(StoreOp::Claim), claims, "no claim after the lease");
}

/// A call without a claim may have applied its side effect, so nothing is given back.
#[tokio::test(start_paused = true)]
async fn a_call_without_protection_gives_nothing_back() {
    let store = store();
    store.script(StoreOp::Claim, [InjectedFault::LoseReply; 3]);
    let open = UNKNOWN.on_store_error(OnStoreError::FailOpen);
    assert_eq!(run(open, &store).await, Ok(7));
    sleep(ms(1000)).await;
    let rejected = run(UNKNOWN, &store).await.expect_err("a claim in flight");
    assert_eq!(reason(&rejected), IdempotencyRejection::InFlight);
}

/// A claim that took over an interrupted call stays interrupted: the earlier call may have applied
/// its side effect.
#[tokio::test(start_paused = true)]
async fn a_takeover_whose_caller_leaves_stays_interrupted() {
    let store = store();
    drop(call(RECONCILE, &store, "k").claim().await);
    // The first claim reports the interruption, the second takes over.
    store.script(StoreOp::Claim, [InjectedFault::Nothing, InjectedFault::DelayReply(ms(300))]);
    assert!(timeout(ms(120), run(RECONCILE, &store)).await.is_err());
    sleep(ms(1)).await;
    assert_eq!(store.interrupted(9).await.expect("a list").len(), 1);
    let Ok(Claimed::Run(next)) = call(RECONCILE, &store, "k").claim().await else { panic!() };
    assert!(next.is_interrupted(), "the next call reconciles");
}

/// The time of each start of a body.
#[derive(Default)]
struct Starts(Mutex<Vec<Duration>>);

impl Starts {
    fn add(&self, begin: Instant) {
        self.0.lock().expect("no panic").push(begin.elapsed());
    }

    fn times(&self) -> Vec<Duration> {
        self.0.lock().expect("no panic").clone()
    }
}

/// A body that hangs keeps its key for `max_renewal`, by default for the `ttl`.
#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_a_stated_time() {
    let short = POLICY.lease(ms(300)).ttl(ms(3000));
    for (policy, limit) in
        [(short, 3000), (short.max_renewal(ms(1000)), 1000), (short.max_renewal(ms(300)), 300)]
    {
        let (store, starts, begin) = (store(), Starts::default(), Instant::now());
        let hanging = call(policy, &store, "k").run_async(async {
            starts.add(begin);
            pending::<Result<u32, Rejected>>().await
        });
        let second = async {
            while let Err(rejected) = run(policy, &store).await {
                assert_eq!(reason(&rejected), IdempotencyRejection::InFlight);
                let after = rejected.retry_after().expect("a time");
                assert!(begin.elapsed() + after <= ms(limit + 1), "{after:?} is too long");
                sleep(ms(10)).await;
            }
            begin.elapsed()
        };
        let took = tokio::select! {
            biased;
            _ = hanging => panic!("the body never ends"),
            took = second => took,
        };
        assert!((ms(limit)..=ms(limit + 15)).contains(&took), "{took:?} for {limit} ms");
        assert_eq!(starts.times().len(), 1);
    }
}

/// After `max_renewal` the key is interrupted, and `unknown` never runs a second body.
#[tokio::test(start_paused = true)]
async fn an_ended_renewal_interrupts_the_call() {
    let policy = UNKNOWN.lease(ms(300)).max_renewal(ms(1000));
    let store = store();
    let hanging = call(policy, &store, "k").run_async(pending::<Result<u32, Rejected>>());
    let second = async {
        sleep(ms(1001)).await;
        run(policy, &store).await.expect_err("an unknown outcome")
    };
    let rejected = tokio::select! {
            biased;
        _ = hanging => panic!("the body never ends"),
        rejected = second => rejected,
    };
    assert_eq!(reason(&rejected), IdempotencyRejection::OutcomeUnknown);
}

/// `on_lease_lost` decides about the body whose renewal has ended.
#[tokio::test(start_paused = true)]
async fn a_body_without_renewal_continues_or_is_dropped() {
    let policy = POLICY.lease(ms(300)).max_renewal(ms(1000));
    let (store, begin) = (store(), Instant::now());
    let cancelled = call(policy.on_lease_lost(OnLeaseLost::Cancel), &store, "a");
    let cancelled = cancelled.run_async(pending::<Result<u32, Rejected>>()).await;
    assert_eq!(reason(&cancelled.expect_err("cancelled")), IdempotencyRejection::LeaseLost);
    assert!((ms(1000)..=ms(1005)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    let late = call(policy, &store, "b").run_async(async {
        sleep(ms(2000)).await;
        Ok::<_, Rejected>(7)
    });
    assert_eq!(late.await, Ok(7), "no other call has taken over");
}

#[test]
fn a_renewal_shorter_than_the_lease_is_invalid() {
    assert!(POLICY.max_renewal(ms(29_999)).validate().is_err());
    assert!(POLICY.max_renewal(ms(30_000)).validate().is_ok());
    assert!(POLICY.max_renewal(Duration::MAX).validate().is_ok());
}
