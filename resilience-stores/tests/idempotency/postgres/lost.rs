//! Answers that do not come.

use std::time::{Duration, Instant};

use resilience::idempotent::{Store, StoreErrorKind, WriteOutcome};
use resilience::stores::PostgresStore;
use resilience::{IdempotencyRejection, RejectedKind};

use super::{open, until_idle};
use crate::claims::{Ask, DAY};
use crate::folder::Folder;
use crate::payments::{Payments, why};
use crate::servers::{Postgres, Proxy, until};

/// A store behind a proxy, with one connection that knows the statements.
async fn behind(proxy: &Proxy) -> PostgresStore {
    let store = open(&Postgres::url_at(proxy.port()), 1).await;
    Ask::new().done(&store, b"done", DAY).await;
    until_idle(store.pool()).await;
    store
}

/// Cuts the connection when the server has answered.
async fn cut_after_the_answer(proxy: Proxy) -> Proxy {
    tokio::task::spawn_blocking(move || {
        until("the answer that is lost", || proxy.swallowed() > 0);
        proxy.pass();
        proxy.cut();
        proxy
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_was_made() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let store = behind(&proxy).await;
    let ask = Ask::new();
    proxy.swallow();
    let (claim, _proxy) = tokio::join!(ask.of(&store), cut_after_the_answer(proxy));
    assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let fence: i64 = sqlx::query_scalar("SELECT fence FROM resilience_idempotency WHERE k = $1")
        .bind(&ask.key.0[..])
        .fetch_one(store.pool())
        .await
        .unwrap();
    let (token, attempt) = ask.acquire(&store).await;
    assert_eq!((i64::try_from(token.fence), attempt), (Ok(fence), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_that_was_made() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let store = behind(&proxy).await;
    let ask = Ask::new();
    let (token, _) = ask.acquire(&store).await;
    until_idle(store.pool()).await;
    proxy.swallow();
    let complete = store.complete(&ask.key, token, b"done", DAY);
    let (written, _proxy) = tokio::join!(complete, cut_after_the_answer(proxy));
    assert_eq!(written.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(store.complete(&ask.key, token, b"done", DAY).await.unwrap(), WriteOutcome::Applied);
    ask.replays(&store, b"done").await;
}

/// The call repeats the claim by itself, as the same owner: it is the first attempt still.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_on() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let store = behind(&proxy).await;
    let payments = Payments::new(store, folder.journal());
    proxy.swallow();
    let (paid, _proxy) = tokio::join!(payments.patient("cut", 5), cut_after_the_answer(proxy));
    assert!(paid.unwrap().ends_with(" 1"));
    assert_eq!(payments.lines().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_take_too_long() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let payments = Payments::new(behind(&proxy).await, folder.journal());
    proxy.delay(Duration::from_millis(400));
    let start = Instant::now();
    assert_eq!(
        why(payments.in_time("slow", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    // A tenth of a second for each of three tries.
    assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
    assert_eq!(payments.lines().len(), 0);
    proxy.pass();
    payments.patient("slow", 5).await.unwrap();
    assert_eq!(payments.lines().len(), 1);
}

/// The network says nothing any more, not even that it is gone, and then there is a new way to the server:
/// the connections that wait for ever do not keep the pool from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_does_not_use_up_the_pool() {
    let Some(server) = Postgres::shared() else { return };
    let proxy = Proxy::to(server.port());
    let folder = Folder::new();
    let payments = Payments::new(behind(&proxy).await, folder.journal());
    proxy.swallow();
    assert_eq!(
        why(payments.in_time("silent", 5).await),
        RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable)
    );
    until("the answer that is lost", || proxy.swallowed() > 0);
    proxy.pass();
    let start = Instant::now();
    while payments.in_time("another", 5).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(8), "the pool is used up");
    }
    assert_eq!(payments.lines().len(), 1);
}
