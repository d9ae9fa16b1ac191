//! A store as `Arc<dyn DynStore>` inside `tokio::spawn`: each function has to compile there.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::sync::Arc;

use resilience::idempotent::testing::FaultStore;
use resilience::idempotent::{
    Claim, ClaimRequest, Claimed, DynStore, Fingerprint, IdempotencyPolicy, MemoryStore,
    OnInterrupted, RecordKey, Scope, Secret, Store, StoreError, Takeover, WithSecret, WriteOutcome,
};
use resilience::{Rejected, idempotent};

use super::calls::ms;

const POLICY: IdempotencyPolicy =
    IdempotencyPolicy::new("trait_objects").on_interrupted(OnInterrupted::Unknown);

fn store() -> Arc<dyn DynStore> {
    Arc::new(MemoryStore::new())
}

async fn tidy(store: Arc<dyn DynStore>) -> Result<usize, StoreError> {
    idempotent::purge(&store, 1000).await
}

async fn drive(store: &Arc<dyn DynStore>) -> Result<usize, StoreError> {
    let report = idempotent::redrive(store, 100, |call| {
        let store = Arc::clone(store);
        async move { idempotent::forget(&store, &call.key).await.map(drop) }
    });
    Ok(report.await?.driven)
}

/// A worker that claims by hand, and ends the claim in each way.
async fn work(store: Arc<dyn DynStore>, key: u32) -> Result<&'static str, Rejected> {
    let call = POLICY.call(store, Scope::Of(&"acme"), &key, |arguments| arguments.value(&key))?;
    match call.claim().await? {
        Claimed::Run(mut active) => {
            let text = active.run(async { "done" }).await?;
            match key {
                0 => drop(active.complete(text.as_bytes()).await?),
                1 => drop(active.complete_without_outcome().await?),
                2 => active.release().await,
                3 => active.abandon().await,
                _ => drop(active),
            }
            Ok(text)
        }
        _ => Ok("replayed"),
    }
}

async fn run(store: Arc<dyn DynStore>) -> Result<u32, Rejected> {
    let call = POLICY.call(store, Scope::Global, &"run", |arguments| arguments)?;
    call.run_async(async {
        tokio::task::yield_now().await;
        Ok(7)
    })
    .await
}

/// A function of an application, generic over the store.
async fn generic<S: Store + Clone>(store: S) -> Result<u32, Rejected> {
    let call = POLICY.call(store, Scope::Global, &"generic", |arguments| arguments)?;
    call.run_async(async { Ok(7) }).await
}

struct Shop {
    store: Arc<dyn DynStore>,
}

impl Shop {
    #[idempotent(store = self.store, key = id, scope = "global", name = "shop.order")]
    async fn order(&self, id: u32) -> Result<u32, Rejected> {
        Ok(id)
    }
}

#[tokio::test(start_paused = true)]
async fn every_function_works_in_a_spawned_task() {
    let store = store();
    for key in 0..5 {
        assert_eq!(tokio::spawn(work(Arc::clone(&store), key)).await.unwrap(), Ok("done"));
    }
    assert_eq!(tokio::spawn(work(Arc::clone(&store), 0)).await.unwrap(), Ok("replayed"));
    assert_eq!(tokio::spawn(work(Arc::clone(&store), 1)).await.unwrap(), Ok("replayed"));
    assert_eq!(tokio::spawn(work(Arc::clone(&store), 2)).await.unwrap(), Ok("done"));
    let own = Arc::clone(&store);
    // The calls 3 and 4 are interrupted.
    assert_eq!(tokio::spawn(async move { drive(&own).await }).await.unwrap().unwrap(), 2);
    assert_eq!(tokio::spawn(run(Arc::clone(&store))).await.unwrap(), Ok(7));
    assert_eq!(tokio::spawn(generic(Arc::clone(&store))).await.unwrap(), Ok(7));
    let shop = Shop { store: Arc::clone(&store) };
    assert_eq!(tokio::spawn(async move { shop.order(3).await }).await.unwrap(), Ok(3));
    tokio::time::sleep(ms(25 * 60 * 60 * 1000)).await;
    assert!(tokio::spawn(tidy(store)).await.unwrap().unwrap() >= 5);
}

/// The methods of [`Store`] work on the trait object itself.
#[tokio::test(start_paused = true)]
async fn every_method_of_a_trait_object_works_in_a_spawned_task() {
    let store = store();
    let steps = async move {
        let (key, fingerprint) = (RecordKey([1; 32]), Fingerprint([2; 32]));
        let request = ClaimRequest {
            key: &key,
            fingerprint: &fingerprint,
            owner: 1,
            lease: ms(1000),
            retention: ms(2000),
            takeover: Takeover::Rerun,
            label: "spawned",
            scope: None,
        };
        let Claim::Acquired { token, .. } = store.claim(request).await? else { unreachable!() };
        let mut written = vec![store.renew(&key, token, ms(1000)).await?];
        store.changed(&key, ms(10)).await;
        written.push(store.abandon(&key, token).await?);
        let interrupted = store.interrupted(10).await?.len();
        written.push(store.complete(&key, token, b"done", ms(1000)).await?);
        let fenced = store.release(&key, token).await?;
        assert_eq!((written, interrupted), (vec![WriteOutcome::Applied; 3], 1));
        assert_eq!(fenced, WriteOutcome::Fenced);
        Ok::<_, StoreError>((store.forget(&key).await?, store.purge(10).await?))
    };
    assert_eq!(tokio::spawn(steps).await.unwrap().unwrap(), (true, 0));
}

/// Wrappers of a trait object work in the same places.
#[tokio::test(start_paused = true)]
async fn wrappers_of_a_trait_object_work_in_a_spawned_task() {
    let secret = WithSecret::new(store(), Secret::new([7; 32]));
    assert_eq!(tokio::spawn(generic(secret.clone())).await.unwrap(), Ok(7));
    assert_eq!(tokio::spawn(generic(FaultStore::new(store()))).await.unwrap(), Ok(7));
    assert_eq!(tokio::spawn(generic(Arc::new(secret.clone()))).await.unwrap(), Ok(7));
    let purged = tokio::spawn(async move { idempotent::purge(&secret, 10).await });
    assert_eq!(purged.await.unwrap().unwrap(), 0);
}
