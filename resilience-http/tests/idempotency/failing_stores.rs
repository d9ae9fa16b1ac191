//! Stores without responses, and handlers with an expired lease.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::{
    Capabilities, Claim, ClaimRequest, Interrupted, MemoryStore, OnStoreError, RecordKey, Store,
    StoreError, StoreId, StoreResult, Token, WriteOutcome,
};
use tokio::time::{Instant, sleep};

use crate::{Runs, ask, counting, post};

/// A store that can hang, or fail every renewal.
#[derive(Clone, Default)]
struct FailingStore {
    inner: Arc<MemoryStore>,
    hangs: Arc<AtomicBool>,
    fails_renewals: Arc<AtomicBool>,
}

impl FailingStore {
    async fn hang_if_set(&self) {
        if self.hangs.load(SeqCst) {
            pending::<()>().await;
        }
    }
}

impl Store for FailingStore {
    async fn claim(&self, request: ClaimRequest<'_>) -> StoreResult<Claim> {
        self.hang_if_set().await;
        self.inner.claim(request).await
    }

    async fn renew(
        &self,
        key: &RecordKey,
        token: Token,
        lease: Duration,
    ) -> StoreResult<WriteOutcome> {
        if self.fails_renewals.load(SeqCst) {
            return Err(StoreError::unavailable("lost"));
        }
        self.inner.renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &RecordKey,
        token: Token,
        outcome: &[u8],
        retention: Duration,
    ) -> StoreResult<WriteOutcome> {
        self.hang_if_set().await;
        self.inner.complete(key, token, outcome, retention).await
    }

    async fn release(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.inner.release(key, token).await
    }

    async fn abandon(&self, key: &RecordKey, token: Token) -> StoreResult<WriteOutcome> {
        self.inner.abandon(key, token).await
    }

    async fn purge(&self, limit: usize) -> StoreResult<usize> {
        self.inner.purge(limit).await
    }

    async fn forget(&self, key: &RecordKey) -> StoreResult<bool> {
        self.inner.forget(key).await
    }

    async fn interrupted(&self, limit: usize) -> StoreResult<Vec<Interrupted>> {
        self.inner.interrupted(limit).await
    }

    fn caps(&self) -> Capabilities {
        self.inner.caps()
    }

    fn id(&self) -> StoreId {
        self.inner.id()
    }
}

#[tokio::test(start_paused = true)]
async fn a_hanging_store_times_out() {
    let store = FailingStore::default();
    store.hangs.store(true, SeqCst);
    let limit = Duration::from_millis(200);
    let layer = || IdempotencyLayer::global(store.clone()).store_timeout(limit);
    let (api, runs) = counting(layer());
    let begin = Instant::now();
    let response = ask(&api, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (503, Some("unavailable")));
    assert_eq!(response.header("retry-after"), Some("1"));
    // One claim and two repetitions, because a lost response is requested again.
    assert!(begin.elapsed() <= 3 * limit + Duration::from_millis(10), "{:?}", begin.elapsed());
    assert_eq!(runs.count(), 0);

    let (open, runs) = counting(layer().on_store_error(OnStoreError::FailOpen));
    for run in ["run 1", "run 2"] {
        assert_eq!(ask(&open, post("k")).await.text(), run);
    }
    assert_eq!(runs.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_that_cannot_be_stored_is_returned() {
    let store = FailingStore::default();
    let hangs = Arc::clone(&store.hangs);
    let layer = IdempotencyLayer::global(store.clone()).lease(Duration::from_secs(3));
    let (api, runs) = crate::api(layer, move |run| {
        hangs.store(true, SeqCst);
        format!("run {run}")
    });
    assert_eq!(ask(&api, post("k")).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_takeover_both_clients_get_one_response() {
    let store = FailingStore::default();
    store.fails_renewals.store(true, SeqCst);
    let layer = IdempotencyLayer::global(store.clone()).lease(Duration::from_secs(3));
    let runs = Runs::default();
    let counted = runs.clone();
    // The first run takes a minute, later runs take no time.
    let handler = async move || {
        let run = counted.increment();
        sleep(Duration::from_secs(if run == 1 { 60 } else { 0 })).await;
        format!("run {run}")
    };
    let api = Router::new().route("/pay", on_post(handler)).layer(layer);
    let first = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    sleep(Duration::from_secs(10)).await;
    assert_eq!(ask(&api, post("k")).await.text(), "run 2");
    let first = first.await.expect("a response");
    assert_eq!((first.text(), first.is_replay()), ("run 2", true));
    assert!(ask(&api, post("k")).await.is_replay());
    assert_eq!(runs.count(), 2);
}
