//! A cluster of two servers.

use std::time::Duration;

use redis::cluster::ClusterClient;
use resilience::idempotent::{Claim, Store, Takeover};
use resilience::stores::RedisStore;
use resilience::stores::redis::Warning;

use super::{ClaimSpec, admin, count, error_text, store_of};
use crate::servers::{Redis, free_port, until};

/// Starts two servers, each with half of the slots.
fn cluster() -> Option<[Redis; 2]> {
    let bus = [free_port(), free_port()].map(|port| port.to_string());
    let start = |bus: &str| Redis::start(&["--cluster-enabled", "yes", "--cluster-port", bus]);
    let servers = [start(&bus[0])?, start(&bus[1])?];
    for (server, slots) in servers.iter().zip([["0", "8191"], ["8192", "16383"]]) {
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(&slots).exec(&mut admin(server)).unwrap();
    }
    let mut meet = redis::cmd("CLUSTER");
    meet.arg("MEET").arg("127.0.0.1").arg(servers[1].port()).arg(&bus[1]);
    meet.exec(&mut admin(&servers[0])).unwrap();
    for server in &servers {
        let mut admin = admin(server);
        until("the cluster", || {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut admin).unwrap();
            info.contains("cluster_state:ok")
        });
    }
    Some(servers)
}

#[tokio::test]
async fn every_step_reaches_the_server_of_the_key() {
    let Some(servers) = cluster() else { return };
    let client = ClusterClient::new(servers.each_ref().map(Redis::url)).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    let specs: Vec<ClaimSpec> =
        (0..40).map(|key| ClaimSpec { takeover: Takeover::Rerun, ..ClaimSpec::of(key) }).collect();
    for spec in &specs {
        let token = spec.acquire(&store).await;
        let _ = store.renew(&spec.key, token, Duration::from_secs(9)).await.unwrap();
        let _ = store.release(&spec.key, token).await.unwrap();
        let token = spec.acquire(&store).await;
        if spec.key.0[0] % 2 == 0 {
            spec.complete(&store, token, &spec.key.0).await;
            assert_eq!(spec.by(2).claim(&store).await.unwrap(), Claim::Replay(spec.key.0.into()));
        } else {
            let _ = store.abandon(&spec.key, token).await.unwrap();
        }
    }
    for server in &servers {
        let records: usize = count(&mut admin(server));
        assert!((5..=35).contains(&records), "{records} of 40 on one server");
    }

    // The search has to visit each server.
    let error = store.interrupted(9).await.unwrap_err();
    assert!(
        error_text(&error).contains("connect to each server of the cluster"),
        "{}",
        error_text(&error)
    );
    let mut found = Vec::new();
    for server in &servers {
        found.extend(store_of(server).await.interrupted(99).await.unwrap());
    }
    assert_eq!(found.len(), 20);
    for spec in specs {
        assert!(store.forget(&spec.key).await.unwrap());
    }
}

#[tokio::test]
async fn check_and_replicas_cover_every_server() {
    let Some(servers) = cluster() else { return };
    for server in &servers {
        let set = ["SET", "maxmemory-policy", "allkeys-lru"];
        redis::cmd("CONFIG").arg(&set).exec(&mut admin(server)).unwrap();
    }
    redis::cmd("CONFIG").arg(&["SET", "appendonly", "no"]).exec(&mut admin(&servers[1])).unwrap();
    let client = ClusterClient::new(servers.each_ref().map(Redis::url)).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    let warnings = store.check().await.unwrap();
    let evicts = Warning::Evicts { policy: "allkeys-lru".into() };
    assert_eq!(
        warnings,
        [evicts, Warning::NoAppendOnlyFile, Warning::Unknown { setting: "appendfsync" }]
    );

    let store = store.wait_replicas(1, Duration::from_millis(5));
    for key in 0..9 {
        let error = ClaimSpec::of(key).claim(&store).await.unwrap_err();
        assert!(error_text(&error).contains("too few replicas"), "{}", error_text(&error));
    }
}
