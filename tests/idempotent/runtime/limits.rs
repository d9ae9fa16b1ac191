//! Limits of the memory store: records, bytes, and the share of a scope.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
use resilience::idempotent::{IdempotencyPolicy, MemoryStore, Scope, StoreErrorKind};
use resilience::{IdempotencyRejection, Rejected, RejectedKind, idempotent};

use super::calls::{POLICY, call, ms};

type Memory = Arc<MemoryStore>;

/// A call of a tenant whose body returns a text of `length` bytes.
async fn pay(
    policy: IdempotencyPolicy,
    store: &Memory,
    scope: Scope<'_>,
    key: u32,
    length: usize,
) -> Result<usize, Rejected> {
    let call = policy.call(Arc::clone(store), scope, &key, |arguments| arguments)?;
    let text = call.run_async(async { Ok::<_, Rejected>("x".repeat(length)) }).await?;
    Ok(text.len())
}

/// Returns the number of calls of a tenant until the first rejection, and the rejection.
async fn flood(store: &Memory, tenant: &str, length: usize) -> (u32, Rejected) {
    for key in 0.. {
        if let Err(rejected) = pay(POLICY, store, Scope::Of(&tenant), key, length).await {
            return (key, rejected);
        }
    }
    unreachable!("the store has a limit")
}

fn is_full(rejected: &Rejected) -> bool {
    rejected.kind() == RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
}

#[tokio::test(start_paused = true)]
async fn one_tenant_cannot_reject_the_calls_of_the_others() {
    let store = Arc::new(MemoryStore::new().max_records(1000));
    let (calls, rejected) = flood(&store, "mallory", 1).await;
    assert_eq!(calls, 800);
    assert!(is_full(&rejected));
    let store_error = rejected.source().expect("the error of the store");
    let cause = store_error.source().expect("a cause").to_string();
    assert!(cause.contains("the scope of the call has reached its share"), "{cause}");
    for key in 0..100 {
        assert_eq!(pay(POLICY, &store, Scope::Of(&"ada"), key, 1).await, Ok(1));
    }
    // Known keys are replayed for every tenant.
    assert_eq!(pay(POLICY, &store, Scope::Of(&"mallory"), 1, 1).await, Ok(1));
    assert!(is_full(&pay(POLICY, &store, Scope::Of(&"mallory"), 5000, 1).await.unwrap_err()));
}

#[tokio::test(start_paused = true)]
async fn several_greedy_tenants_leave_room_for_another() {
    let store = Arc::new(MemoryStore::new().max_records(1000));
    for tenant in 0..4 {
        flood(&store, &format!("mallory-{tenant}"), 1).await;
    }
    assert_eq!(pay(POLICY, &store, Scope::Of(&"ada"), 1, 1).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn failed_calls_and_expired_records_count_until_they_expire() {
    let store = Arc::new(MemoryStore::new().max_records(10));
    let policy = POLICY.ttl(ms(60_000));
    for key in 0..8_u32 {
        let call = policy.call(Arc::clone(&store), Scope::Of(&"mallory"), &key, |a| a);
        let failed = call.expect("a key").run_async(async {
            Err::<u32, _>(Rejected::new(RejectedKind::RateLimited, "downstream", None))
        });
        assert!(failed.await.is_err());
    }
    assert!(is_full(&pay(POLICY, &store, Scope::Of(&"mallory"), 9, 1).await.unwrap_err()));
    assert_eq!(pay(POLICY, &store, Scope::Of(&"ada"), 9, 1).await, Ok(1));
    tokio::time::sleep(ms(60_000)).await;
    assert_eq!(pay(POLICY, &store, Scope::Of(&"mallory"), 9, 1).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_fixed_number_of_records_per_scope() {
    let store = Arc::new(MemoryStore::new().max_records_per_scope(3));
    assert_eq!(flood(&store, "acme", 1).await.0, 3);
    assert_eq!(flood(&store, "globex", 1).await.0, 3);
    for key in 0..10 {
        assert_eq!(pay(POLICY, &store, Scope::Global, key, 1).await, Ok(1), "no scope, no quota");
    }
}

/// The steps of a call count for the tenant of the call.
#[tokio::test(start_paused = true)]
async fn steps_count_for_the_scope_of_their_call() {
    #[idempotent(key = key, scope = tenant, store = store)]
    async fn order(tenant: &str, key: u32, #[skip] store: &Memory) -> Result<u32, Rejected> {
        charge(store).await
    }

    #[idempotent(step = "charge", store = store)]
    async fn charge(#[skip] store: &Memory) -> Result<u32, Rejected> {
        Ok(1)
    }

    let store = Arc::new(MemoryStore::new().max_records_per_scope(4));
    assert_eq!(order("acme", 1, &store).await, Ok(1));
    assert_eq!(order("acme", 2, &store).await, Ok(1));
    assert!(is_full(&order("acme", 3, &store).await.unwrap_err()));
    assert_eq!(order("globex", 3, &store).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn outcomes_stay_within_the_bound_in_bytes() {
    const MIB: usize = 1024 * 1024;
    let large = POLICY.max_outcome(2 * 1024 * 1024);
    let store = Arc::new(MemoryStore::new().max_bytes(16 * MIB));
    for key in 0..80 {
        assert_eq!(pay(large, &store, Scope::Of(&"acme"), key, MIB).await, Ok(MIB));
        assert!(store.outcome_bytes() <= 16 * MIB, "{} bytes", store.outcome_bytes());
    }
    assert!(store.outcome_bytes() > 10 * MIB, "{} bytes", store.outcome_bytes());
    // An outcome without room is recorded without its bytes, so no body runs again.
    let mut replayed = 0;
    for key in 0..80 {
        match pay(large, &store, Scope::Of(&"acme"), key, 1).await {
            Ok(length) => {
                assert_eq!(length, MIB, "the body has not run");
                replayed += 1;
            }
            Err(rejected) => assert_eq!(
                rejected.kind(),
                RejectedKind::Idempotency(IdempotencyRejection::NotStored)
            ),
        }
    }
    assert!((10..=13).contains(&replayed), "{replayed}");
    // Other tenants have room.
    assert_eq!(pay(large, &store, Scope::Of(&"ada"), 1, MIB).await, Ok(MIB));
    assert_eq!(pay(large, &store, Scope::Of(&"ada"), 1, 1).await, Ok(MIB));
}

#[tokio::test(start_paused = true)]
async fn expired_and_forgotten_records_return_their_bytes() {
    let store = Arc::new(MemoryStore::new().max_bytes(10_000));
    let policy = POLICY.ttl(ms(1000)).lease(ms(100));
    for _ in 0..50 {
        assert_eq!(pay(policy, &store, Scope::Of(&"acme"), 1, 5000).await, Ok(5000));
        let used = store.outcome_bytes();
        assert!((4900..5100).contains(&used), "{used}");
        tokio::time::sleep(ms(1000)).await;
    }
    let key = POLICY.key(&store, Scope::Of(&"acme"), &1).expect("a key");
    assert!(idempotent::forget(&store, &key).await.expect("memory"));
    assert_eq!((store.len(), store.outcome_bytes()), (0, 0));
    assert_eq!(pay(policy, &store, Scope::Of(&"acme"), 2, 5000).await, Ok(5000));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(idempotent::purge(&store, 10).await.expect("memory"), 1);
    assert_eq!((store.len(), store.outcome_bytes()), (0, 0));
}

/// Every store that is full records the completion without the outcome, if there is room for that.
#[tokio::test(start_paused = true)]
async fn a_full_store_records_the_completion_without_the_outcome() {
    let store = FaultStore::new(Arc::new(MemoryStore::new()));
    store.script(StoreOp::Complete, [InjectedFault::Fail(StoreErrorKind::Full)]);
    let run = || call(POLICY.reject(), &store, "k").run_async(async { Ok::<_, Rejected>(7) });
    assert_eq!(run().await, Ok(7));
    assert_eq!(
        run().await.unwrap_err().kind(),
        RejectedKind::Idempotency(IdempotencyRejection::NotStored)
    );
    assert_eq!(store.calls(StoreOp::Complete), 2);
}
