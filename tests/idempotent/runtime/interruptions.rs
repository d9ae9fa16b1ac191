//! Calls that do not return: dropped at any poll, ended by a panic, or dropped with their runtime.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt;
use resilience::idempotent::conformance::{self as suite, Candidate};
use resilience::idempotent::testing::{InjectedFault, StoreOp};
use resilience::idempotent::{
    BlockingStore, Capabilities, Claim, ClaimRequest, Claimed, Fingerprint, IdempotencyContext,
    IdempotencyPolicy, Interrupted, MemoryStore, RecordKey, Scope, Store, StoreId, StoreResult,
    Takeover, Token, WriteOutcome,
};
use resilience::{Classify, Effect, IdempotencyRejection, Rejected, RejectedKind};
use tokio::time::sleep;

use super::calls::{Faulty, POLICY, UNKNOWN, call, ms, store};

/// Drops a call after each number of polls, and then repeats the call.
#[tokio::test(start_paused = true)]
async fn a_call_can_be_dropped_after_every_poll() {
    for policy in [POLICY, UNKNOWN] {
        let mut ended = false;
        for polls in 0..200 {
            let (store, ran) = (store(), AtomicUsize::new(0));
            for op in [StoreOp::Claim, StoreOp::Complete] {
                store.always(op, InjectedFault::Delay(ms(10)));
            }
            let dropped = {
                let body = async {
                    ran.fetch_add(1, SeqCst);
                    sleep(ms(20)).await;
                    sleep(ms(20)).await;
                    ran.fetch_add(1, SeqCst);
                    Ok::<_, Rejected>(7)
                };
                let mut running = pin!(call(policy, &store, "k").run_async(body));
                let mut left = polls;
                poll_fn(|cx| {
                    if left == 0 {
                        return Poll::Ready(None);
                    }
                    left -= 1;
                    running.as_mut().poll(cx).map(Some)
                })
                .await
            };
            if polls == 0 {
                assert_eq!(store.all_calls(), 0, "no step before the first poll");
            }
            // Leaves time for the final write, which runs on the runtime.
            sleep(ms(50)).await;
            let again = call(policy.reject(), &store, "k");
            let again = again.run_async(async { Ok::<_, Rejected>(8) }).await;
            match (dropped, again) {
                (Some(first), again) => {
                    assert_eq!((first, again), (Ok(7), Ok(7)));
                    ended = true;
                }
                (None, Ok(outcome)) => {
                    let may_run_twice = policy.on_interrupted_is_rerun() || ran.load(SeqCst) == 0;
                    assert!(outcome == 7 || may_run_twice, "ran again after poll {polls}");
                }
                (None, Err(rejected)) => {
                    let begun = ran.load(SeqCst) > 0;
                    assert!(begun && !policy.on_interrupted_is_rerun(), "{rejected} after {polls}");
                    assert_eq!(
                        rejected.kind(),
                        RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown)
                    );
                }
            }
            if ended {
                break;
            }
        }
        assert!(ended, "the call never ends");
    }
}

trait IsRerun {
    fn on_interrupted_is_rerun(&self) -> bool;
}

impl IsRerun for IdempotencyPolicy {
    fn on_interrupted_is_rerun(&self) -> bool {
        format!("{self:?}").contains("on_interrupted: Rerun")
    }
}

/// A panic of an async body passes to the caller, and ends the claim.
#[tokio::test(start_paused = true)]
async fn a_panic_ends_the_claim() {
    for (policy, next) in [
        (POLICY, Ok(8)),
        (UNKNOWN, Err(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))),
    ] {
        let store = store();
        let body = async {
            sleep(ms(1)).await;
            panic!("in the body")
        };
        let panicking = call(policy, &store, "k").run_async::<u32, Rejected, _>(body);
        assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        let again = call(policy.reject(), &store, "k").run_async(async { Ok(8) }).await;
        assert_eq!(again.map_err(|rejected: Rejected| rejected.kind()), next);
        assert!(IdempotencyContext::current().is_none());
    }
}

/// A panic of a body that is not async passes to the caller, and ends the claim.
#[test]
fn a_panic_ends_the_claim_of_a_blocking_call() {
    for (policy, next) in [
        (POLICY, Ok(8)),
        (UNKNOWN, Err(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))),
    ] {
        let store = Arc::new(MemoryStore::new());
        let call = || {
            policy
                .reject()
                .call(Arc::clone(&store), Scope::Global, &"k", |arguments| arguments)
                .expect("key")
        };
        let panicking = || call().run::<u32, Rejected, _>(|| panic!("in the body"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        let again = call().run(|| Ok::<_, Rejected>(8));
        assert_eq!(again.map_err(|rejected| rejected.kind()), next);
    }
}

/// The wait of a blocked thread ends under a guard that skips waits.
#[test]
fn a_blocking_wait_ends() {
    let store = Arc::new(MemoryStore::new());
    let call = || {
        POLICY.call(Arc::clone(&store), Scope::Global, &"k", |arguments| arguments).expect("key")
    };
    let outer = call().run(|| {
        let _waits = resilience::testing::no_waits();
        let begin = std::time::Instant::now();
        let inner = call().run(|| Ok::<_, Rejected>(2)).expect_err("held");
        assert_eq!(inner.kind(), RejectedKind::Idempotency(IdempotencyRejection::InFlight));
        assert!(begin.elapsed() < ms(2000), "{:?}", begin.elapsed());
        Ok::<_, Rejected>(1)
    });
    assert_eq!(outer, Ok(1));
}

/// A store that needs a runtime for `abandon`.
#[derive(Clone)]
struct NeedsRuntime(Faulty);

impl Store for NeedsRuntime {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        self.0.claim(request).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.0.renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.0.complete(key, token, outcome, retention).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.0.release(key, token).await
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        tokio::task::spawn_blocking(|| ()).await.expect("a thread");
        self.0.abandon(key, token).await
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        self.0.purge(limit).await
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        self.0.forget(key).await
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        self.0.interrupted(limit).await
    }

    fn caps(&self) -> Capabilities {
        self.0.caps()
    }

    fn id(&self) -> StoreId {
        self.0.id()
    }
}

impl BlockingStore for NeedsRuntime {}

/// A store that is not ready after the body breaks the contract of a blocking store. The body has
/// run, so the rejection does not say that the call was not sent.
#[test]
fn a_blocking_store_is_not_ready_after_the_body() {
    let store = NeedsRuntime(store());
    store.0.script(StoreOp::Complete, [InjectedFault::Hang]);
    let call = || POLICY.call(store.clone(), Scope::Global, &"k", |arguments| arguments);
    let ran = call().expect("a key").run(|| Ok::<_, Rejected>(7)).expect_err("not ready");
    store.0.script(StoreOp::Claim, [InjectedFault::Hang]);
    let not_run = call().expect("a key").run(|| Ok::<_, Rejected>(7)).expect_err("not ready");
    let unavailable = RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable);
    let facts = |rejected: Rejected| (rejected.kind(), rejected.classify().effect);
    assert_eq!(facts(ran), (unavailable, Effect::Unknown));
    assert_eq!(facts(not_run), (unavailable, Effect::NotSent));
}

/// A call is dropped outside of a runtime, with a store that needs a runtime. The lease ends the
/// claim.
#[test]
fn a_call_can_be_dropped_without_a_runtime() {
    let store = NeedsRuntime(store());
    let call =
        POLICY.call(store.clone(), Scope::Global, &"k", |arguments| arguments).expect("a key");
    let key = call.key();
    let mut running = Box::pin(call.run_async(std::future::pending::<Result<u32, Rejected>>()));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(running);
    let fingerprint = Fingerprint([0; 32]);
    let request = ClaimRequest {
        key: &key,
        fingerprint: &fingerprint,
        owner: 1,
        lease: ms(1),
        retention: ms(1),
        takeover: Takeover::Rerun,
        label: "",
        scope: None,
    };
    // The record exists, with another fingerprint.
    assert_eq!(futures::executor::block_on(store.claim(request)).ok(), Some(Claim::Mismatch));
}

/// A runtime drops its tasks before their calls end.
#[test]
fn a_runtime_can_end_before_its_calls() {
    let store = store();
    store.always(StoreOp::Abandon, InjectedFault::Delay(ms(5)));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (begun, wait) = std::sync::mpsc::channel();
    let running = call(POLICY, &store, "k");
    runtime.spawn(async move {
        let body = async {
            begun.send(()).expect("a test that waits");
            std::future::pending::<Result<u32, Rejected>>().await
        };
        running.run_async(body).await
    });
    wait.recv().expect("a started body");
    runtime.shutdown_timeout(ms(500));
    assert_eq!(store.calls(StoreOp::Complete), 0);
}

/// Dropping an active call abandons the call.
#[tokio::test(start_paused = true)]
async fn a_dropped_active_call_is_abandoned() {
    let store = store();
    let claimed = call(UNKNOWN, &store, "k").claim().await.expect("a claim");
    assert!(matches!(claimed, Claimed::Run(_)));
    drop(claimed);
    let again = call(UNKNOWN, &store, "k").claim().await.expect_err("an unknown outcome");
    assert_eq!(again.kind(), RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown));
    assert_eq!((store.calls(StoreOp::Abandon), store.calls(StoreOp::Release)), (1, 0));
}

/// A `FaultStore` without faults passes conformance cases.
#[tokio::test(start_paused = true)]
async fn a_fault_store_without_faults_passes() {
    suite::fences_rise(Candidate::new(store())).await;
    suite::racing_claims_have_one_winner(Candidate::new(store()).keys(5)).await;
    suite::interrupted_claims_are_listed(Candidate::new(store())).await;
}
