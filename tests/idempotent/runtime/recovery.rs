//! Maintenance: purge, redrive and forget.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use resilience::idempotent::{
    self, IdempotencyPolicy, MemoryStore, RedriveReport, Scope, StaticStore, Store,
};
use resilience::{Rejected, RejectedKind};
use tokio::time::{advance, timeout};

static POLICY: IdempotencyPolicy =
    IdempotencyPolicy::new("jobs.run").lease(Duration::from_secs(10)).ttl(Duration::from_secs(60));

fn store() -> &'static MemoryStore {
    Box::leak(Box::default())
}

/// Runs a job. The body never ends with `hangs`.
async fn run(store: &'static MemoryStore, job: u32, hangs: bool) -> Result<u32, Rejected> {
    let call =
        POLICY.call(StaticStore(store), Scope::Global, &job, |arguments| arguments.value(&job))?;
    call.run_async(async {
        if hangs {
            pending::<()>().await;
        }
        Ok(job)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn purge_removes_expired_records_in_batches() {
    let store = store();
    for job in 0..10 {
        assert_eq!(run(store, job, false).await, Ok(job));
    }
    assert_eq!(idempotent::purge(store, 3).await.expect("a store in memory"), 0);
    advance(Duration::from_secs(60)).await;
    assert_eq!(run(store, 100, false).await, Ok(100));
    // The last claim may have removed an expired record.
    let left = store.len() - 1;
    assert_eq!(idempotent::purge(store, 3).await.expect("a store in memory"), left);
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn redrive_repeats_interrupted_calls() {
    let store = store();
    let mut stored = Vec::new();
    for job in 0..4 {
        let hangs = job < 3;
        let key = POLICY.key(store, Scope::Global, &job).expect("a number is a key");
        stored.push((key, job));
        let done = timeout(Duration::from_secs(1), run(store, job, hangs)).await;
        assert_eq!(done.is_err(), hangs);
    }
    // The dropped calls are abandoned, so no call has to wait for the end of a lease.
    let seen = RefCell::new(Vec::new());
    let again = |call: idempotent::Interrupted| {
        let job = stored.iter().find(|(key, _)| *key == call.key).map(|(_, job)| *job);
        let job = job.expect("a stored job");
        seen.borrow_mut().push((job, call.label.clone(), call.attempt));
        async move {
            // Job 1 fails again.
            if job == 1 {
                Err(Rejected::new(RejectedKind::CircuitOpen, "bank", None))
            } else {
                run(store, job, false).await.map(drop)
            }
        }
    };
    let done = idempotent::redrive(store, 100, again).await.expect("a store in memory");
    assert_eq!((done.driven, done.failed), (2, 1));
    let mut seen = seen.into_inner();
    seen.sort_unstable();
    let expected = [0, 1, 2].map(|job| (job, "jobs.run".to_owned(), 1));
    assert_eq!(seen, expected);
    let none = |_| async { Ok::<(), ()>(()) };
    let left = idempotent::redrive(store, 100, none).await.expect("a store in memory");
    assert_eq!((left.driven, left.failed), (1, 0));
    assert_eq!(idempotent::redrive(store, 0, none).await.expect("none"), RedriveReport::default());
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_key_runs_again() {
    let store = store();
    assert_eq!(run(store, 7, false).await, Ok(7));
    let key = POLICY.key(store, Scope::Global, &7_u32).expect("a number is a key");
    assert!(idempotent::forget(store, &key).await.expect("a store in memory"));
    assert!(!store.forget(&key).await.expect("a store in memory"));
    assert_eq!(run(store, 7, false).await, Ok(7));
    assert_eq!(store.len(), 1);
}
