//! A cluster of two.

use std::time::Duration;

use redis::cluster::ClusterClient;
use resilience::idempotent::{Claim, Store, Takeover};
use resilience::stores::RedisStore;
use resilience::stores::redis::Warning;

use crate::servers::{Redis, free_port, until};
use crate::{Ask, beside, count, store_of, words};

/// Two servers, each with half of the slots.
fn cluster() -> Option<[Redis; 2]> {
    let bus = [free_port(), free_port()].map(|port| port.to_string());
    let start = |bus: &str| Redis::start(&["--cluster-enabled", "yes", "--cluster-port", bus]);
    let servers = [start(&bus[0])?, start(&bus[1])?];
    for (server, slots) in servers.iter().zip([["0", "8191"], ["8192", "16383"]]) {
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(&slots).exec(&mut beside(server)).unwrap();
    }
    let mut meet = redis::cmd("CLUSTER");
    meet.arg("MEET").arg("127.0.0.1").arg(servers[1].port()).arg(&bus[1]);
    meet.exec(&mut beside(&servers[0])).unwrap();
    for server in &servers {
        let mut beside = beside(server);
        until("the cluster", || {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut beside).unwrap();
            info.contains("cluster_state:ok")
        });
    }
    Some(servers)
}

#[tokio::test]
async fn every_step_goes_to_the_server_that_has_the_key() {
    let Some(servers) = cluster() else { return };
    let client = ClusterClient::new(servers.each_ref().map(Redis::url)).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    let asks: Vec<Ask> =
        (0..40).map(|key| Ask { takeover: Takeover::Rerun, ..Ask::of(key) }).collect();
    for ask in &asks {
        let token = ask.acquire(&store).await;
        let _ = store.renew(&ask.key, token, Duration::from_secs(9)).await.unwrap();
        let _ = store.release(&ask.key, token).await.unwrap();
        let token = ask.acquire(&store).await;
        if ask.key.0[0] % 2 == 0 {
            ask.complete(&store, token, &ask.key.0).await;
            assert_eq!(ask.by(2).claim(&store).await.unwrap(), Claim::Replay(ask.key.0.into()));
        } else {
            let _ = store.abandon(&ask.key, token).await.unwrap();
        }
    }
    for server in &servers {
        let records: usize = count(&mut beside(server));
        assert!((5..=35).contains(&records), "{records} of 40 on one server");
    }

    // The search goes from server to server.
    let error = store.interrupted(9).await.unwrap_err();
    assert!(words(&error).contains("connect to each of its servers"), "{}", words(&error));
    let mut found = Vec::new();
    for server in &servers {
        found.extend(store_of(server).await.interrupted(99).await.unwrap());
    }
    assert_eq!(found.len(), 20);
    for ask in asks {
        assert!(store.forget(&ask.key).await.unwrap());
    }
}

#[tokio::test]
async fn every_server_is_asked_for_its_settings_and_replicas() {
    let Some(servers) = cluster() else { return };
    for server in &servers {
        let set = ["SET", "maxmemory-policy", "allkeys-lru"];
        redis::cmd("CONFIG").arg(&set).exec(&mut beside(server)).unwrap();
    }
    redis::cmd("CONFIG").arg(&["SET", "appendonly", "no"]).exec(&mut beside(&servers[1])).unwrap();
    let client = ClusterClient::new(servers.each_ref().map(Redis::url)).unwrap();
    let store = RedisStore::new(client.get_async_connection().await.unwrap());
    let warnings = store.check().await.unwrap();
    let evicts = Warning::Evicts { policy: "allkeys-lru".into() };
    assert_eq!(
        warnings,
        [evicts, Warning::KeepsNoLog, Warning::Unknown { setting: "appendfsync" }]
    );

    let store = store.wait_replicas(1, Duration::from_millis(5));
    for key in 0..9 {
        let error = Ask::of(key).claim(&store).await.unwrap_err();
        assert!(words(&error).contains("too few replicas"), "{}", words(&error));
    }
}
