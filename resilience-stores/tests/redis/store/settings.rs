//! Warnings of `check`.

use std::time::Duration;

use redis::Client;
use resilience::stores::RedisStore;
use resilience::stores::redis::Warning;

use super::{TestStore, admin, connected, store_of};
use crate::servers::{Proxy, Redis, until};

const SAFE: [&str; 4] = ["--appendfsync", "always", "--maxmemory-policy", "noeviction"];

async fn warnings(store: &TestStore) -> Vec<Warning> {
    store.check().await.unwrap()
}

fn delayed_fsync(appendfsync: &str) -> Warning {
    Warning::DelayedFsync { appendfsync: appendfsync.into() }
}

#[tokio::test]
async fn no_warnings_for_safe_settings() {
    let Some(server) = Redis::start(&SAFE) else { return };
    assert_eq!(warnings(&store_of(&server).await).await, []);
}

#[tokio::test]
async fn warnings_for_unsafe_settings() {
    let Some(server) = Redis::start(&SAFE) else { return };
    let (store, mut admin) = (store_of(&server).await, admin(&server));
    let mut set = |setting: &str, value: &str| {
        redis::cmd("CONFIG").arg(&["SET", setting, value]).exec(&mut admin).unwrap();
    };
    set("appendfsync", "everysec");
    assert_eq!(warnings(&store).await, [delayed_fsync("everysec")]);
    set("maxmemory-policy", "volatile-ttl");
    let evicts = Warning::Evicts { policy: "volatile-ttl".into() };
    assert_eq!(warnings(&store).await, [evicts.clone(), delayed_fsync("everysec")]);
    // `appendfsync` matters only with an append-only file.
    set("appendonly", "no");
    let found = warnings(&store).await;
    assert_eq!(found, [evicts, Warning::NoAppendOnlyFile]);
    let words: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(words[0].contains("`maxmemory-policy` is `volatile-ttl`"), "{words:?}");
    assert!(words[1].contains("set `yes`"), "{words:?}");
}

#[tokio::test]
async fn warnings_for_replicas() {
    let settings = [&SAFE[..], &["--repl-diskless-sync-delay", "0"]].concat();
    let Some(main) = Redis::start(&settings) else { return };
    let store = store_of(&main).await;
    let few = Warning::TooFewReplicas { replicas: 0, required: 1 };
    assert_eq!(warnings(&store.clone().wait_replicas(1, Duration::ZERO)).await, [few]);

    let port = main.port().to_string();
    let settings = [&SAFE[..], &["--replicaof", "127.0.0.1", &port]].concat();
    let Some(replica) = Redis::start(&settings) else { return };
    let mut admin = admin(&main);
    until("a replica", || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut admin).unwrap();
        info.contains("state=online")
    });
    assert_eq!(warnings(&store).await, [Warning::ReplicasNotAwaited { replicas: 1 }]);
    assert_eq!(warnings(&store.wait_replicas(1, Duration::ZERO)).await, []);
    assert_eq!(warnings(&store_of(&replica).await).await, [Warning::IsReplica]);
}

#[tokio::test]
async fn warnings_for_forbidden_commands() {
    let unknown = |settings: &[&'static str]| -> Vec<Warning> {
        settings.iter().map(|setting| Warning::Unknown { setting }).collect()
    };
    let Some(server) = Redis::start(&SAFE) else { return };
    let mut admin = admin(&server);
    for (forbidden, expected) in [
        ("-config", unknown(&["appendfsync"])),
        ("-info", unknown(&["maxmemory-policy", "appendonly", "role", "appendfsync"])),
    ] {
        let mut acl = redis::cmd("ACL");
        acl.arg(&["SETUSER", "app", "on", ">word", "~*", "+@all", "-config", forbidden]);
        acl.exec(&mut admin).unwrap();
        let url = format!("redis://app:word@127.0.0.1:{}", server.port());
        let store = RedisStore::new(connected(url).await);
        assert_eq!(warnings(&store).await, expected);
        assert!(expected[0].to_string().contains("unknown"), "{expected:?}");
    }

    // Hosted Redis services rename CONFIG.
    let settings = [&SAFE[..], &["--rename-command", "CONFIG", "hidden"]].concat();
    let Some(server) = Redis::start(&settings) else { return };
    assert_eq!(warnings(&store_of(&server).await).await, unknown(&["appendfsync"]));
}

#[tokio::test]
async fn check_fails_without_an_answer() {
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let client = Client::open(Redis::url_at(proxy.port())).unwrap();
    let store = RedisStore::new(client.get_multiplexed_async_connection().await.unwrap());
    proxy.cut();
    store.check().await.unwrap_err();
}
