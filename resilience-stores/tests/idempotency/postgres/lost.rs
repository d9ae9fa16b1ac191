//! Lost answers.

use std::time::{Duration, Instant};

use resilience::idempotent::{Store, StoreErrorKind, WriteOutcome};
use resilience::stores::PostgresStore;
use resilience::{IdempotencyRejection, RejectedKind};

use super::{open, until_idle};
use crate::claims::{ClaimSpec, DAY};
use crate::folder::Folder;
use crate::payments::{Payments, rejection_kind};
use crate::servers::{Postgres, Proxy, until};

/// Opens a store behind a proxy, with one connection that has prepared the statements.
async fn behind(proxy: &Proxy) -> PostgresStore {
    let store = open(&Postgres::url_at(proxy.port()), 1).await;
    ClaimSpec::new().complete(&store, b"done", DAY).await;
    until_idle(store.pool()).await;
    store
}

/// Cuts the connection after the server has answered.
async fn cut_after_the_answer(proxy: Proxy) -> Proxy {
    tokio::task::spawn_blocking(move || {
        until("the lost answer", || proxy.swallowed() > 0);
        proxy.pass();
        proxy.cut();
        proxy
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_without_an_answer() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let store = behind(&proxy).await;
    let spec = ClaimSpec::new();
    proxy.swallow();
    let (claim, _proxy) = tokio::join!(spec.claim(&store), cut_after_the_answer(proxy));
    assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let fence: i64 = sqlx::query_scalar("SELECT fence FROM resilience_idempotency WHERE k = $1")
        .bind(&spec.key.0[..])
        .fetch_one(store.pool())
        .await
        .unwrap();
    let (token, attempt) = spec.acquire(&store).await;
    assert_eq!((i64::try_from(token.fence), attempt), (Ok(fence), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_without_an_answer() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let store = behind(&proxy).await;
    let spec = ClaimSpec::new();
    let (token, _) = spec.acquire(&store).await;
    until_idle(store.pool()).await;
    proxy.swallow();
    let complete = store.complete(&spec.key, token, b"done", DAY);
    let (written, _proxy) = tokio::join!(complete, cut_after_the_answer(proxy));
    assert_eq!(written.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(
        store.complete(&spec.key, token, b"done", DAY).await.unwrap(),
        WriteOutcome::Applied
    );
    spec.replays(&store, b"done").await;
}

/// The call repeats the claim as the same owner, so the attempt number stays 1.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_survives_a_cut_connection() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let store = behind(&proxy).await;
    let payments = Payments::new(store, folder.journal());
    proxy.swallow();
    let (paid, _proxy) = tokio::join!(payments.long_lease("cut", 5), cut_after_the_answer(proxy));
    assert!(paid.unwrap().ends_with(" 1"));
    assert_eq!(payments.lines().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_after_the_timeout() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let payments = Payments::new(behind(&proxy).await, folder.journal());
    // 20 times the timeout of the store.
    proxy.delay(Duration::from_secs(2));
    assert_eq!(
        rejection_kind(payments.short_timeout("slow", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    assert_eq!(payments.lines().len(), 0);
    proxy.pass();
    payments.long_lease("slow", 5).await.unwrap();
    assert_eq!(payments.lines().len(), 1);
}

/// The network becomes silent without closing connections, and then a new route to the server
/// appears. The silent connections must not exhaust the pool.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_does_not_exhaust_the_pool() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let payments = Payments::new(behind(&proxy).await, folder.journal());
    proxy.swallow();
    assert_eq!(
        rejection_kind(payments.short_timeout("silent", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    until("the lost answer", || proxy.swallowed() > 0);
    proxy.pass();
    let start = Instant::now();
    while payments.short_timeout("another", 5).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the pool is exhausted");
    }
    assert_eq!(payments.lines().len(), 1);
}
