//! Stores without responses, and handlers with an expired lease.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::{
    Capabilities, Claim, ClaimRequest, Interrupted, MemoryStore, OnInterrupted, OnLeaseLost,
    OnStoreError, OnUnsaved, RecordKey, Store, StoreError, StoreId, StoreResult, Token,
    WriteOutcome,
};
use tokio::time::{Instant, sleep};

use crate::raw_client::pay;
use crate::server::Server;
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
    let layer = || IdempotencyLayer::global("http", store.clone()).store_timeout(limit);
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
    let layer = IdempotencyLayer::global("http", store.clone()).lease(Duration::from_secs(3));
    let (api, runs) = crate::api(layer, move |run| {
        hangs.store(true, SeqCst);
        format!("run {run}")
    });
    assert_eq!(ask(&api, post("k")).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

/// Waits until the record of `k` is complete.
async fn replay(address: std::net::SocketAddr) -> crate::raw_client::RawResponse {
    loop {
        let response = pay(address, "k").await;
        if response.problem().is_none() {
            return response;
        }
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_silent_store_does_not_hold_the_response() {
    let store = FailingStore::default();
    let hangs = Arc::clone(&store.hangs);
    let layer = IdempotencyLayer::global("http", store.clone())
        .store_timeout(Duration::from_millis(20))
        // Longer than the time limit of the client.
        .lease(Duration::from_secs(600));
    let (api, runs) = crate::api(layer.clone(), move |run| {
        hangs.store(true, SeqCst);
        format!("run {run}")
    });
    let server = Server::start(api).await;
    assert_eq!(pay(server.address, "k").await.text(), "run 1");
    assert!(store.hangs.load(SeqCst), "the store is still silent");
    // The write is repeated behind the response, and a shutdown waits for the write.
    assert_eq!(layer.drain(Duration::from_millis(1)).await, 1);
    store.hangs.store(false, SeqCst);
    assert_eq!(layer.drain(Duration::from_secs(20)).await, 0);
    let again = replay(server.address).await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("run 1", true, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outage_after_the_handler_causes_no_second_effect() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        for on_error in [OnStoreError::FailClosed, OnStoreError::FailOpen] {
            let store = FailingStore::default();
            let hangs = Arc::clone(&store.hangs);
            let layer = IdempotencyLayer::global("http", store.clone())
                .lease(Duration::from_secs(3))
                .on_interrupted(mode)
                .on_store_error(on_error);
            let (api, runs) = crate::api(layer, move |run| {
                hangs.store(true, SeqCst);
                format!("run {run}")
            });
            let begin = Instant::now();
            assert_eq!(ask(&api, post("k")).await.text(), "run 1");
            assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
            // Much longer than the lease.
            for _ in 0..10 {
                sleep(Duration::from_secs(6)).await;
                assert_eq!(ask(&api, post("k")).await.status, 409, "{mode:?} {on_error:?}");
            }
            store.hangs.store(false, SeqCst);
            // A request before the next repetition of the write.
            assert_eq!(ask(&api, post("k")).await.status, 409, "{mode:?} {on_error:?}");
            sleep(Duration::from_secs(2)).await;
            let again = ask(&api, post("k")).await;
            assert_eq!((again.text(), again.is_replay(), runs.count()), ("run 1", true, 1));
        }
    }
}

#[tokio::test]
async fn a_disconnect_does_not_lose_the_outcome() {
    // Without `detach` the write of the outcome still survives the connection.
    let store = FailingStore::default();
    let hangs = Arc::clone(&store.hangs);
    let layer = IdempotencyLayer::global("http", store.clone())
        .detach(false)
        .store_timeout(Duration::from_secs(5))
        .lease(Duration::from_secs(600));
    let (api, runs) = crate::api(layer.clone(), move |run| {
        hangs.store(true, SeqCst);
        format!("run {run}")
    });
    let client = tokio::spawn(async move { ask(&api, post("k")).await });
    while runs.count() == 0 {
        tokio::task::yield_now().await;
    }
    sleep(Duration::from_millis(2)).await;
    client.abort();
    assert!(client.await.is_err());
    store.hangs.store(false, SeqCst);
    assert_eq!(layer.drain(Duration::from_secs(20)).await, 0);
    let (api, _) = counting(layer);
    let again = ask(&api, post("k")).await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("run 1", true, 1));
}

#[tokio::test(start_paused = true)]
async fn an_unsaved_outcome_can_be_an_error() {
    let store = FailingStore::default();
    let hangs = Arc::clone(&store.hangs);
    let layer = IdempotencyLayer::global("http", store.clone())
        .lease(Duration::from_secs(3))
        .on_unsaved(OnUnsaved::Error);
    let (api, runs) = crate::api(layer, move |run| {
        hangs.store(true, SeqCst);
        format!("run {run}")
    });
    let response = ask(&api, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (503, Some("unavailable")));
    let json: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(json["safe_new_key"], false);
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_can_cancel_the_handler() {
    let store = FailingStore::default();
    store.fails_renewals.store(true, SeqCst);
    let layer = IdempotencyLayer::global("http", store.clone())
        .lease(Duration::from_secs(3))
        .on_lease_lost(OnLeaseLost::Cancel);
    let handler = async move || sleep(Duration::from_secs(60)).await;
    let api = Router::new().route("/pay", on_post(handler)).layer(layer);
    let begin = Instant::now();
    assert_eq!(ask(&api, post("k")).await.problem().as_deref(), Some("in-progress"));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_keeps_its_key_for_a_limited_time() {
    let runs = Runs::default();
    let counted = runs.clone();
    let handler = async move || {
        if counted.increment() == 1 {
            pending::<()>().await;
        }
        "paid"
    };
    let layer = IdempotencyLayer::global("http", Arc::<MemoryStore>::default())
        .lease(Duration::from_secs(3))
        .max_renewal(Duration::from_secs(20))
        .on_lease_lost(OnLeaseLost::Cancel);
    let api = Router::new().route("/pay", on_post(handler)).layer(layer.clone());
    let hanging = tokio::spawn({
        let api = api.clone();
        async move { ask(&api, post("k")).await }
    });
    sleep(Duration::from_secs(18)).await;
    assert_eq!(ask(&api, post("k")).await.problem().as_deref(), Some("in-progress"));
    sleep(Duration::from_secs(6)).await;
    assert_eq!(ask(&api, post("k")).await.text(), "paid");
    assert_eq!(hanging.await.expect("a response").problem().as_deref(), Some("in-progress"));
    assert_eq!((layer.drain(Duration::ZERO).await, runs.count()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_takeover_both_clients_get_one_response() {
    let store = FailingStore::default();
    store.fails_renewals.store(true, SeqCst);
    let layer = IdempotencyLayer::global("http", store.clone()).lease(Duration::from_secs(3));
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
