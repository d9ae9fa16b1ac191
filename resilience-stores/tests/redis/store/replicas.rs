//! Waiting for replicas.

use std::time::Duration;

use redis::Commands;
use resilience::idempotent::{Claim, StoreErrorKind};

use super::{ClaimSpec, DAY, admin, error_text, store_of};
use crate::servers::{Redis, Signal, until};
use resilience::idempotent::Store;

/// Starts a server with a synchronized replica.
fn pair() -> Option<(Redis, Redis)> {
    let main = Redis::start(&["--repl-diskless-sync-delay", "0"])?;
    let (host, port) = ("127.0.0.1", main.port().to_string());
    let replica = Redis::start(&["--replicaof", host, &port])?;
    let mut admin = admin(&main);
    until("a replica", || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut admin).unwrap();
        info.contains("state=online")
    });
    Some((main, replica))
}

#[tokio::test]
async fn a_claim_waits_for_the_replica() {
    let Some((main, replica)) = pair() else { return };
    let store = store_of(&main).await.wait_replicas(1, Duration::from_secs(10));
    let spec = ClaimSpec::of(1);
    let token = spec.acquire(&store).await;
    let mut copy = admin(&replica);
    let record = |copy: &mut redis::Connection, field| {
        let names: Vec<String> = copy.keys("*").unwrap();
        copy.hget::<_, _, String>(&names[0], field).unwrap()
    };
    assert_eq!(record(&mut copy, "fence"), token.fence.to_string());
    spec.complete(&store, token, b"done").await;
    assert_eq!(record(&mut copy, "outcome"), "done");
}

#[tokio::test]
async fn claims_fail_without_the_replica() {
    let Some((main, replica)) = pair() else { return };
    let store = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    let (spec, done) = (ClaimSpec::of(1), ClaimSpec::of(2));
    let patient = store_of(&main).await.wait_replicas(1, Duration::from_secs(10));
    let other = done.acquire(&patient).await;
    replica.signal(Signal::Stop);
    // The replica acknowledged the earlier writes before the pause, and acknowledges no more.
    for error in [
        spec.claim(&store).await.unwrap_err(),
        spec.claim(&store).await.unwrap_err(),
        store.complete(&done.key, other, b"done", DAY).await.unwrap_err(),
        store.complete(&done.key, other, b"done", DAY).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error_text(&error).contains("too few replicas"), "{}", error_text(&error));
    }
    // A new connection without earlier writes does not count the write as replicated either.
    let fresh = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    spec.claim(&fresh).await.unwrap_err();
    let fresh = store_of(&main).await.wait_replicas(1, Duration::from_millis(20));
    fresh.complete(&done.key, other, b"done", DAY).await.unwrap_err();
    // A claim that writes nothing does not wait for replicas.
    let in_flight = spec.by(2).claim(&store).await.unwrap();
    assert!(matches!(in_flight, Claim::InFlight { .. }), "{in_flight:?}");
    replica.signal(Signal::Cont);
    let token = spec.acquire(&patient).await;
    spec.complete(&patient, token, b"done").await;
    done.complete(&patient, other, b"done").await;
}

#[tokio::test]
async fn a_zero_wait_ends() {
    let Some(server) = Redis::start(&[]) else { return };
    let store = store_of(&server).await.wait_replicas(1, Duration::ZERO);
    let claim = tokio::time::timeout(Duration::from_secs(5), ClaimSpec::of(1).claim(&store)).await;
    assert!(claim.unwrap().is_err());
}
