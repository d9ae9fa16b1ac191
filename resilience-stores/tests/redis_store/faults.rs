//! The server, or the way to it, goes away.

use std::time::Duration;

use redis::Client;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use resilience::idempotent::{
    Claim, IdempotencyPolicy, Scope, Store, StoreErrorKind, Takeover, WriteOutcome,
};
use resilience::stores::{RedisStore, find_class};
use resilience::{Effect, FailureClass, IdempotencyRejection, RejectedKind};

use crate::servers::{Proxy, Redis, Signal};
use crate::{Ask, DAY, MINUTE, beside, connected, store_of, words};

async fn reconnecting(url: String) -> RedisStore<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(Duration::from_secs(20)))
        .set_min_delay(Duration::from_millis(1))
        .set_max_delay(Duration::from_millis(5))
        .set_number_of_retries(1000);
    RedisStore::new(
        Client::open(url).unwrap().get_connection_manager_with_config(config).await.unwrap(),
    )
}

/// Asks again while the connection is being made anew, as the runner does: with the same owner.
async fn at_last(ask: Ask, store: &impl Store) -> Claim {
    for _ in 0..1000 {
        if let Ok(claim) = ask.claim(store).await {
            return claim;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the store does not come back")
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_claims() {
    let Some(server) = Redis::start(&[]) else { return };
    let store = reconnecting(server.url()).await;
    let (held, done) = (Ask::of(1), Ask::of(2));
    let token = held.acquire(&store).await;
    let other = done.acquire(&store).await;
    done.complete(&store, other, b"done").await;
    server.stop(Signal::Kill);
    server.start_again();
    // The first command meets the old connection.
    let claim = at_last(held.by(2), &store).await;
    assert!(matches!(claim, Claim::InFlight { .. }), "{claim:?}");
    assert_eq!(done.by(2).claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    assert_eq!(held.acquire(&store).await, token);
    held.complete(&store, token, b"late").await;
    server.restart(Signal::Kill);
    assert_eq!(at_last(held.by(3), &store).await, Claim::Replay((*b"late").into()));
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten() {
    let Some(server) = Redis::start(&[]) else { return };
    let (plain, waits) = (store_of(&server).await, store_of(&server).await);
    let waits = waits.prefix("waits:").wait_replicas(0, Duration::ZERO);
    let mut beside = beside(&server);
    let mut flush = || redis::cmd("SCRIPT").arg("FLUSH").exec(&mut beside).unwrap();
    for store in [plain, waits] {
        let ask = Ask { takeover: Takeover::Rerun, ..Ask::of(1) };
        // Each step is found missing, and then known.
        for is_missing in [true, false] {
            let mut flush = || {
                if is_missing {
                    flush();
                }
            };
            flush();
            let token = ask.acquire(&store).await;
            flush();
            assert_eq!(store.renew(&ask.key, token, MINUTE).await.unwrap(), WriteOutcome::Applied);
            flush();
            assert_eq!(store.abandon(&ask.key, token).await.unwrap(), WriteOutcome::Applied);
            flush();
            assert_eq!(store.interrupted(9).await.unwrap().len(), 1);
            flush();
            assert_eq!(store.release(&ask.key, token).await.unwrap(), WriteOutcome::Applied);
            let token = ask.acquire(&store).await;
            flush();
            assert_eq!(
                store.complete(&ask.key, token, b"", DAY).await.unwrap(),
                WriteOutcome::Applied
            );
            flush();
            assert!(store.forget(&ask.key).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_replica_takes_nothing_until_it_is_none() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let held = Ask::of(1);
    let token = held.acquire(&store).await;
    let mut replicate = |of: &str| {
        let of: Vec<&str> = of.split(' ').collect();
        redis::cmd("REPLICAOF").arg(of).exec(&mut beside).unwrap();
    };
    replicate("127.0.0.1 1");
    for error in [
        Ask::of(2).claim(&store).await.unwrap_err(),
        store.complete(&held.key, token, b"", DAY).await.unwrap_err(),
        store.release(&held.key, token).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", words(&error));
        assert_eq!(
            find_class(&error),
            Some(FailureClass::transient().effect(Effect::Refused)),
            "{}",
            words(&error)
        );
    }
    replicate("NO ONE");
    held.complete(&store, token, b"done").await;
    Ask::of(2).acquire(&store).await;
}

/// A step was done, and its answer was lost with the connection.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let ask = Ask::of(1);

    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    // The server knows the scripts, so that the answer that is lost is that of the step.
    let token = Ask::of(9).acquire(&store).await;
    Ask::of(9).complete(&store, token, b"").await;
    proxy.swallow();
    let (claim, ()) = tokio::join!(ask.claim(&store), lost(&proxy));
    assert_eq!(claim.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    let claim = ask.by(2).claim(&store).await.unwrap();
    assert!(matches!(claim, Claim::InFlight { .. }), "it was done: {claim:?}");
    let claim = ask.claim(&store).await.unwrap();
    let Claim::Acquired { token, attempt: 1 } = claim else { panic!("{claim:?}") };

    proxy.swallow();
    let complete = store.complete(&ask.key, token, b"done", DAY);
    let (written, ()) = tokio::join!(complete, lost(&proxy));
    assert_eq!(written.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    assert_eq!(ask.by(2).claim(&store).await.unwrap(), Claim::Replay((*b"done").into()));
    ask.complete(&store, token, b"done").await;
}

/// Cuts the connection when an answer has been swallowed.
async fn lost(proxy: &Proxy) {
    let before = proxy.swallowed();
    while proxy.swallowed() == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    proxy.cut();
    proxy.pass();
}

#[tokio::test]
async fn a_slow_store_is_not_waited_for() {
    static POLICY: IdempotencyPolicy =
        IdempotencyPolicy::new("slow").store_timeout(Duration::from_millis(20));
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let store = RedisStore::new(connected(Redis::url_at(proxy.port())).await);
    proxy.delay(Duration::from_secs(1));
    let begin = std::time::Instant::now();
    let call = POLICY.call(store, Scope::Global, &"key", |about| about).unwrap();
    let rejected = call.claim().await.unwrap_err();
    assert_eq!(rejected.kind(), RejectedKind::Idempotency(IdempotencyRejection::StoreUnavailable));
    assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_server_that_stands_still_has_done_what_it_was_asked_when_it_goes_on() {
    let Some(server) = Redis::start(&[]) else { return };
    let (store, ask) = (store_of(&server).await, Ask::of(1));
    server.signal(Signal::Stop);
    let claim = tokio::time::timeout(Duration::from_millis(20), ask.claim(&store)).await;
    assert!(claim.is_err(), "{claim:?}");
    server.signal(Signal::Cont);
    let token = ask.acquire(&store).await;
    ask.complete(&store, token, b"done").await;
    let other = ask.by(2).claim(&store).await.unwrap();
    assert_eq!(other, Claim::Replay((*b"done").into()));
}
