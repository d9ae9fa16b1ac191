//! Calls that end otherwise than by returning: dropped at any step, by a panic, with their runtime.

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
    Capabilities, Claim, ClaimRequest, Claimed, Fingerprint, IdempotencyContext, IdempotencyPolicy,
    Interrupted, MemoryStore, RecordKey, Scope, Store, StoreId, StoreResult, Takeover, Token,
    WriteOutcome,
};
use resilience::{IdempotencyRejection, Rejected, RejectedKind};
use tokio::time::sleep;

use crate::calls::{Faulty, POLICY, UNKNOWN, call, ms, store};

/// C26 to C28: a call is dropped after each of its polls.
#[tokio::test(start_paused = true)]
async fn a_call_may_be_dropped_at_every_step() {
    for policy in [POLICY, UNKNOWN] {
        let mut ended = false;
        for polls in 0..200 {
            let (store, ran) = (store(), AtomicUsize::new(0));
            for verb in [StoreOp::Claim, StoreOp::Complete] {
                store.always(verb, InjectedFault::Delay(ms(10)));
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
                assert_eq!(store.all_calls(), 0, "nothing is asked before the first poll");
            }
            // What was left to the runtime is said.
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
        assert!(ended, "the call has an end");
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

/// C31.
#[tokio::test(start_paused = true)]
async fn a_panic_passes_and_the_claim_is_ended() {
    for (policy, next) in [
        (POLICY, Ok(8)),
        (UNKNOWN, Err(RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown))),
    ] {
        let store = store();
        let body = async {
            sleep(ms(1)).await;
            panic!("in the body")
        };
        let panicking = call(policy, &store, "k").run_async::<u32, Rejected>(body);
        assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        let again = call(policy.reject(), &store, "k").run_async(async { Ok(8) }).await;
        assert_eq!(again.map_err(|rejected: Rejected| rejected.kind()), next);
        assert!(IdempotencyContext::current().is_none());
    }
}

/// C33.
#[test]
fn a_function_that_is_not_async() {
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
        let panicking = || call().run::<u32, Rejected>(|| panic!("in the body"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        let again = call().run(|| Ok::<_, Rejected>(8));
        assert_eq!(again.map_err(|rejected| rejected.kind()), next);
    }
}

/// The wait of a thread ends, under a guard that lets waits pass too.
#[test]
fn a_thread_does_not_wait_for_ever() {
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

/// A store that needs a runtime to be asked anything.
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

/// C32: outside of any runtime, with a store that needs one; its lease ends the claim.
#[test]
fn a_call_may_be_dropped_without_a_runtime() {
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
    };
    // The record is there, and of something else.
    assert_eq!(futures::executor::block_on(store.claim(request)).ok(), Some(Claim::Mismatch));
}

/// C32: tasks that are dropped with their runtime.
#[test]
fn a_runtime_may_end_before_its_calls() {
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
    wait.recv().expect("a body that began");
    runtime.shutdown_timeout(ms(500));
    assert_eq!(store.calls(StoreOp::Complete), 0);
}

/// By hand: what was claimed and dropped without a word was perhaps done.
#[tokio::test(start_paused = true)]
async fn a_claim_by_hand_is_abandoned_when_it_is_dropped() {
    let store = store();
    let claimed = call(UNKNOWN, &store, "k").claim().await.expect("a claim");
    assert!(matches!(claimed, Claimed::Run(_)));
    drop(claimed);
    let again = call(UNKNOWN, &store, "k").claim().await.expect_err("nobody knows");
    assert_eq!(again.kind(), RejectedKind::Idempotency(IdempotencyRejection::OutcomeUnknown));
    assert_eq!((store.calls(StoreOp::Abandon), store.calls(StoreOp::Release)), (1, 0));
}

/// The faults of a store are those of its script, and otherwise it is a store like others.
#[tokio::test(start_paused = true)]
async fn a_store_without_faults_is_one() {
    suite::fences_rise(Candidate::new(store())).await;
    suite::racing_claims_have_one_winner(Candidate::new(store()).keys(5)).await;
    suite::interrupted_claims_are_listed(Candidate::new(store())).await;
}
