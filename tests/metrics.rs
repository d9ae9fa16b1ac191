//! The counters of idempotent calls for the facade `metrics`.
#![cfg(feature = "metrics")]

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use resilience::export::record_metrics;
use resilience::idempotent::testing::{FaultStore, InjectedFault, StoreOp};
use resilience::idempotent::{IdempotencyPolicy, MemoryStore, Scope, StoreErrorKind};
use resilience::{Rejected, idempotent};
use tokio::runtime::Builder;
use tokio::time::{advance, timeout};

type Faulty = FaultStore<Arc<MemoryStore>>;

static JOBS: IdempotencyPolicy = IdempotencyPolicy::new("jobs.run");

/// Jobs with an odd number never end.
#[idempotent(store = *store, key = job, scope = "global", fingerprint(size), ttl = "60s", name = "jobs.run")]
async fn run(store: &Faulty, job: u32, size: u32) -> Result<u32, Rejected> {
    if job % 2 == 1 {
        pending::<()>().await;
    }
    Ok(size)
}

static KEPT: IdempotencyPolicy = IdempotencyPolicy::new("jobs.kept");

/// As `run`, with figures of its own: figures belong to the process, and tests run side by side.
#[idempotent(store = *store, key = job, scope = "global", fingerprint(size), ttl = "60s", name = "jobs.kept")]
async fn run_kept(store: &Faulty, job: u32, size: u32) -> Result<u32, Rejected> {
    if job % 2 == 1 {
        pending::<()>().await;
    }
    Ok(size)
}

/// A function with a required text key.
#[idempotent(store = *store, key = key, scope = "global", policy = JOBS)]
async fn named(#[skip] store: &Faulty, key: Option<&str>) -> Result<u32, Rejected> {
    Ok(0)
}

/// A function with an optional text key.
#[idempotent(store = *store, key = key, scope = "global", policy = JOBS, optional_key)]
async fn optional(#[skip] store: &Faulty, key: Option<&str>) -> Result<u32, Rejected> {
    Ok(0)
}

/// Returns the counters that `work` increments, as lines.
fn counted(work: impl AsyncFnOnce(&Faulty)) -> Vec<String> {
    let recorder = DebuggingRecorder::new();
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
    let store = FaultStore::new(Arc::new(MemoryStore::new()));
    let work = || runtime.expect("a runtime").block_on(work(&store));
    metrics::with_local_recorder(&recorder, work);
    let counters = recorder.snapshotter().snapshot().into_vec().into_iter();
    let mut lines: Vec<_> = counters
        .map(|(key, _, _, value)| {
            let count = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(value) => value.to_string(),
                DebugValue::Histogram(_) => panic!("{key:?} is a histogram"),
            };
            let labels = key.key().labels();
            let labels = labels.map(|label| format!(" {}={}", label.key(), label.value()));
            format!("{}{} {count}", key.key().name(), labels.collect::<String>())
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn decisions_are_counted() {
    let lines = counted(async |store| {
        for size in [5, 5, 5, 6] {
            let done = run(store, 2, size).await;
            assert_eq!(done.is_ok(), size == 5);
        }
        timeout(Duration::from_secs(1), run(store, 1, 0)).await.expect_err("the job never ends");
        named(store, Some("")).await.expect_err("an empty key");
        named(store, None).await.expect_err("a missing key");
        assert_eq!(optional(store, None).await, Ok(0));
        store.script(StoreOp::Claim, [InjectedFault::Fail(StoreErrorKind::Full)]);
        run(store, 4, 0).await.expect_err("the store is full");
        record_metrics();
    });
    let of_policy = "resilience.policy.name=jobs.run resilience.policy.kind=idempotent";
    let calls = |outcome: &str, count: u32| {
        format!("resilience.calls {of_policy} resilience.outcome={outcome} {count}")
    };
    let rejections = |kind: &str| {
        format!("resilience.rejections {of_policy} resilience.rejection.kind={kind} 1")
    };
    let expected = [
        calls("executed", 2),
        calls("rejected", 4),
        calls("replayed", 2),
        rejections("invalid_key"),
        rejections("mismatch"),
        rejections("missing_key"),
        rejections("unavailable"),
        format!("resilience.idempotent.store_errors {of_policy} 1"),
    ];
    let shown = |line: &&String| line.contains("jobs.run") && !line.ends_with(" 0");
    let mut shown: Vec<_> = lines.iter().filter(shown).collect();
    shown.sort();
    let mut expected: Vec<_> = expected.iter().collect();
    expected.sort();
    assert_eq!(shown, expected);
}

#[test]
fn maintenance_is_counted() {
    let lines = counted(async |store| {
        let stored = "a store in memory";
        for job in [1, 3, 5] {
            timeout(Duration::from_secs(1), run_kept(store, job, 0))
                .await
                .expect_err("the job never ends");
        }
        let five = KEPT.key(store, Scope::Global, &5_u32).expect("a number is a key");
        let drive = |call: idempotent::Interrupted| async move {
            if call.key == five { Err(()) } else { Ok(()) }
        };
        let done = idempotent::redrive(store, 100, drive).await.expect(stored);
        assert_eq!((done.driven, done.failed), (2, 1));
        assert!(idempotent::forget(store, &five).await.expect(stored));
        assert!(!idempotent::forget(store, &five).await.expect(stored));
        assert_eq!(run_kept(store, 2, 0).await, Ok(0));
        advance(Duration::from_secs(60)).await;
        assert_eq!(idempotent::purge(store, 100).await.expect(stored), 3);
    });

    let expected = [
        "resilience.idempotent.forgotten 1",
        "resilience.idempotent.purged 3",
        "resilience.idempotent.redriven resilience.policy.name=jobs.kept resilience.idempotent.driven=no 1",
        "resilience.idempotent.redriven resilience.policy.name=jobs.kept resilience.idempotent.driven=yes 2",
    ];
    assert_eq!(lines, expected);
}
