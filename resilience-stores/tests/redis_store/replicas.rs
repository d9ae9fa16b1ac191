//! Copies that are waited for.

use std::time::Duration;

use redis::Commands;
use resilience::idempotent::{Claim, StoreErrorKind};

use crate::servers::{Redis, Signal, until};
use crate::{Ask, DAY, beside, store_of, words};
use resilience::idempotent::Store;

/// A server with a replica that has caught up.
fn pair() -> Option<(Redis, Redis)> {
    let main = Redis::start(&["--repl-diskless-sync-delay", "0"])?;
    let (host, port) = ("127.0.0.1", main.port().to_string());
    let replica = Redis::start(&["--replicaof", host, &port])?;
    let mut beside = beside(&main);
    until("a replica", || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut beside).unwrap();
        info.contains("state=online")
    });
    Some((main, replica))
}

#[tokio::test]
async fn a_claim_is_made_when_the_replica_has_it() {
    let Some((main, replica)) = pair() else { return };
    let store = store_of(&main).await.wait_replicas(1, Duration::from_secs(10));
    let ask = Ask::of(1);
    let token = ask.acquire(&store).await;
    let mut copy = beside(&replica);
    let record = |copy: &mut redis::Connection, field| {
        let names: Vec<String> = copy.keys("*").unwrap();
        copy.hget::<_, _, String>(&names[0], field).unwrap()
    };
    assert_eq!(record(&mut copy, "fence"), token.fence.to_string());
    ask.complete(&store, token, b"done").await;
    assert_eq!(record(&mut copy, "outcome"), "done");
}

#[tokio::test]
async fn without_the_replica_there_is_no_claim_until_it_is_back() {
    let Some((main, replica)) = pair() else { return };
    let store = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    let (ask, done) = (Ask::of(1), Ask::of(2));
    let patient = store_of(&main).await.wait_replicas(1, Duration::from_secs(10));
    let other = done.acquire(&patient).await;
    replica.signal(Signal::Stop);
    // It was told before it stood still, and has no more to say.
    for error in [
        ask.claim(&store).await.unwrap_err(),
        ask.claim(&store).await.unwrap_err(),
        store.complete(&done.key, other, b"done", DAY).await.unwrap_err(),
        store.complete(&done.key, other, b"done", DAY).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(words(&error).contains("too few replicas"), "{}", words(&error));
    }
    // A connection that has written nothing before does not take it for copied either.
    let fresh = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    ask.claim(&fresh).await.unwrap_err();
    let fresh = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    fresh.complete(&done.key, other, b"done", DAY).await.unwrap_err();
    // Who only looks does not wait for copies.
    let in_flight = ask.by(2).claim(&store).await.unwrap();
    assert!(matches!(in_flight, Claim::InFlight { .. }), "{in_flight:?}");
    replica.signal(Signal::Cont);
    let token = ask.acquire(&patient).await;
    ask.complete(&patient, token, b"done").await;
    done.complete(&patient, other, b"done").await;
}

#[tokio::test]
async fn no_time_to_wait_is_not_without_an_end() {
    let Some(server) = Redis::start(&[]) else { return };
    let store = store_of(&server).await.wait_replicas(1, Duration::ZERO);
    let claim = tokio::time::timeout(Duration::from_secs(5), Ask::of(1).claim(&store)).await;
    assert!(claim.unwrap().is_err());
}
