//! Calls that finish after another call has taken over their key.

use std::future::Future;

use resilience::context::Context;
use resilience::idempotent::testing::{InjectedFault, StoreOp};
use resilience::idempotent::{self, IdempotencyPolicy, OnUnsaved, Scope, StoreErrorKind};
use resilience::{Classify, Effect, IdempotencyRejection, Rejected, RejectedKind};
use tokio::time::sleep;

use super::calls::{Faulty, POLICY, UNKNOWN, call, ms, store};
use super::figures::count;

const UNAVAILABLE: InjectedFault = InjectedFault::Fail(StoreErrorKind::Unavailable);
const FULL: InjectedFault = InjectedFault::Fail(StoreErrorKind::Full);

/// Makes a call whose body returns 1 after two seconds. The lease ends after 900 ms. `before_end`
/// runs at the end of the body.
async fn late(
    policy: IdempotencyPolicy,
    store: &Faulty,
    before_end: impl Future<Output = ()>,
) -> Result<u32, Rejected> {
    store.always(StoreOp::Renew, UNAVAILABLE);
    let late = call(policy.lease(ms(900)), store, "k").run_async(async {
        sleep(ms(2000)).await;
        before_end.await;
        Ok(1)
    });
    late.await
}

/// Makes a call that takes over after one second, and ends at once.
async fn other(
    policy: IdempotencyPolicy,
    store: &Faulty,
    outcome: Result<u32, Rejected>,
) -> Result<u32, Rejected> {
    sleep(ms(1000)).await;
    call(policy.lease(ms(900)), store, "k").run_async(async { outcome }).await
}

/// Returns the outcome of a further call, whose body returns 3.
async fn next(policy: IdempotencyPolicy, store: &Faulty) -> Result<u32, RejectedKind> {
    let next = call(policy.reject(), store, "k").run_async(async { Ok::<_, Rejected>(3) }).await;
    next.map_err(|rejected| rejected.kind())
}

fn gave_up() -> Result<u32, Rejected> {
    Err(Rejected::new(RejectedKind::CircuitOpen, "bank", None))
}

#[track_caller]
fn assert_rejected(end: Result<u32, Rejected>, reason: IdempotencyRejection, effect: Effect) {
    let rejected = end.expect_err("a rejection");
    assert_eq!((rejected.kind(), rejected.classify().effect), (reason.into(), effect));
}

#[tokio::test(start_paused = true)]
async fn a_late_call_returns_the_stored_outcome_after_its_deadline() {
    let store = store();
    let late = Context::new().deadline(ms(1500), "handler").scope(late(POLICY, &store, async {}));
    let ends = tokio::join!(late, other(POLICY, &store, Ok(2)));
    assert_eq!(ends, (Ok(2), Ok(2)));
}

/// The deadline starts no body, and the outcome of the late body is stored after the deadline too.
#[tokio::test(start_paused = true)]
async fn a_late_call_stores_its_outcome_after_its_deadline() {
    let store = store();
    let late = Context::new().deadline(ms(1500), "handler").scope(late(POLICY, &store, async {}));
    assert_eq!(tokio::join!(late, other(POLICY, &store, gave_up())).0, Ok(1));
    assert_eq!(next(POLICY, &store).await, Ok(1));
}

/// The store fails while the late call reads the record. `on_unsaved` decides.
#[tokio::test(start_paused = true)]
async fn a_late_call_without_a_store_follows_on_unsaved() {
    for on_unsaved in [OnUnsaved::Return, OnUnsaved::Error] {
        let (store, policy) = (store(), POLICY.on_unsaved(on_unsaved));
        let fail = async { store.always(StoreOp::Claim, InjectedFault::Hang) };
        let (end, _) = tokio::join!(late(policy, &store, fail), other(POLICY, &store, Ok(2)));
        match on_unsaved {
            OnUnsaved::Return => assert_eq!(end, Ok(1)),
            _ => assert_rejected(end, IdempotencyRejection::StoreUnavailable, Effect::Unknown),
        }
    }
}

/// The record of the late call is gone, and another request has the key.
#[tokio::test(start_paused = true)]
async fn a_late_call_whose_key_has_another_request_lost_its_lease() {
    let store = store();
    let other = async {
        sleep(ms(1000)).await;
        let key = POLICY.key(&store, Scope::Global, &"k").expect("a key");
        assert!(idempotent::forget(&store, &key).await.expect("a store in memory"));
        let call = POLICY.call(store.clone(), Scope::Global, &"k", |request| request.value(&7));
        call.expect("a key").run_async(async { Ok::<_, Rejected>(2) }).await
    };
    let (end, other) = tokio::join!(late(POLICY, &store, async {}), other);
    assert_eq!(other, Ok(2));
    assert_rejected(end, IdempotencyRejection::LeaseLost, Effect::Unknown);
}

/// The other call gave up, and the late call stores its outcome in a second write.
#[tokio::test(start_paused = true)]
async fn a_failed_second_write_is_repeated() {
    let store = store();
    let script = [InjectedFault::Nothing, UNAVAILABLE, InjectedFault::LoseReply];
    store.script(StoreOp::Complete, script);
    let ends = tokio::join!(late(POLICY, &store, async {}), other(POLICY, &store, gave_up()));
    assert_eq!(ends.0, Ok(1));
    assert_eq!(next(POLICY, &store).await, Ok(1));
}

/// The second write fails until the lease of the second claim ends.
#[tokio::test(start_paused = true)]
async fn a_failed_second_write_follows_on_unsaved() {
    let name = "takeovers.unsaved";
    let policy = IdempotencyPolicy::new(name);
    for (unsaved, on_unsaved) in [(1, OnUnsaved::Return), (2, OnUnsaved::Error)] {
        let store = store();
        store.script(StoreOp::Complete, [InjectedFault::Nothing]);
        store.always(StoreOp::Complete, UNAVAILABLE);
        let late = late(policy.on_unsaved(on_unsaved), &store, async {});
        let (end, _) = tokio::join!(late, other(policy, &store, gave_up()));
        match on_unsaved {
            OnUnsaved::Return => assert_eq!(end, Ok(1)),
            _ => assert_rejected(end, IdempotencyRejection::StoreUnavailable, Effect::Unknown),
        }
        assert_eq!(count(name, "resilience.idempotent.unsaved", &[]), unsaved);
    }
}

/// A store without room for the outcome records the completion.
#[tokio::test(start_paused = true)]
async fn a_second_write_into_a_full_store_is_a_mark() {
    let store = store();
    store.script(StoreOp::Complete, [FULL, InjectedFault::Nothing, FULL]);
    let ends = tokio::join!(late(POLICY, &store, async {}), other(POLICY, &store, gave_up()));
    assert_eq!(ends.0, Ok(1));
    assert_eq!(next(POLICY, &store).await, Err(IdempotencyRejection::NotStored.into()));
}

/// Another call takes over between the second claim and the second write.
#[tokio::test(start_paused = true)]
async fn a_second_write_that_comes_too_late_lost_its_lease() {
    let store = store();
    store.script(StoreOp::Complete, [InjectedFault::Nothing, InjectedFault::Delay(ms(400))]);
    let forget = async {
        sleep(ms(2200)).await;
        let key = POLICY.key(&store, Scope::Global, &"k").expect("a key");
        assert!(idempotent::forget(&store, &key).await.expect("a store in memory"));
    };
    let late = late(POLICY, &store, async {});
    let (end, _, ()) = tokio::join!(late, other(POLICY, &store, gave_up()), forget);
    assert_rejected(end, IdempotencyRejection::LeaseLost, Effect::Unknown);
}

/// A rejected call counts as a single rejection.
#[tokio::test(start_paused = true)]
async fn a_late_call_counts_once() {
    let policy = IdempotencyPolicy::new("takeovers.figures");
    let rejections = |reason: &[&str]| count("takeovers.figures", "resilience.rejections", reason);
    let held = store();
    let other = async {
        sleep(ms(1000)).await;
        let body = async {
            sleep(ms(3000)).await;
            Ok::<_, Rejected>(2)
        };
        call(policy, &held, "k").run_async(body).await
    };
    let (end, _) = tokio::join!(late(policy, &held, async {}), other);
    assert_rejected(end, IdempotencyRejection::LeaseLost, Effect::Unknown);
    assert_eq!((rejections(&["lease_lost"]), rejections(&[])), (1, 1));
}

/// With `unknown` an interrupted call that took over leaves the outcome open.
#[tokio::test(start_paused = true)]
async fn a_late_call_does_not_take_over_an_unknown_outcome() {
    let store = store();
    let other = async {
        sleep(ms(1000)).await;
        let key = UNKNOWN.key(&store, Scope::Global, &"k").expect("a key");
        assert!(idempotent::forget(&store, &key).await.expect("a store in memory"));
        drop(call(UNKNOWN, &store, "k").claim().await);
    };
    let (end, ()) = tokio::join!(late(UNKNOWN, &store, async {}), other);
    assert_rejected(end, IdempotencyRejection::LeaseLost, Effect::Unknown);
    assert_eq!(next(UNKNOWN, &store).await, Err(IdempotencyRejection::OutcomeUnknown.into()));
}
