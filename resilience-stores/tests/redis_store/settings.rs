//! What `check` says of a server.

use std::time::Duration;

use redis::Client;
use resilience::stores::RedisStore;
use resilience::stores::redis::Warning;

use crate::servers::{Proxy, Redis, until};
use crate::{Shown, beside, connected, store_of};

const SAFE: [&str; 4] = ["--appendfsync", "always", "--maxmemory-policy", "noeviction"];

async fn warnings(store: &Shown) -> Vec<Warning> {
    store.check().await.unwrap()
}

fn late(appendfsync: &str) -> Warning {
    Warning::SyncsLate { appendfsync: appendfsync.into() }
}

#[tokio::test]
async fn of_a_server_that_is_set_up_well_there_is_nothing_to_say() {
    let Some(server) = Redis::start(&SAFE) else { return };
    assert_eq!(warnings(&store_of(&server).await).await, []);
}

#[tokio::test]
async fn of_settings_by_which_records_are_lost() {
    let Some(server) = Redis::start(&SAFE) else { return };
    let (store, mut beside) = (store_of(&server).await, beside(&server));
    let mut set = |setting: &str, value: &str| {
        redis::cmd("CONFIG").arg(&["SET", setting, value]).exec(&mut beside).unwrap();
    };
    set("appendfsync", "everysec");
    assert_eq!(warnings(&store).await, [late("everysec")]);
    set("maxmemory-policy", "volatile-ttl");
    let evicts = Warning::Evicts { policy: "volatile-ttl".into() };
    assert_eq!(warnings(&store).await, [evicts.clone(), late("everysec")]);
    // How a log is written matters to a server that writes one.
    set("appendonly", "no");
    let found = warnings(&store).await;
    assert_eq!(found, [evicts, Warning::KeepsNoLog]);
    let words: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(words[0].contains("`maxmemory-policy` is `volatile-ttl`"), "{words:?}");
    assert!(words[1].contains("set `yes`"), "{words:?}");
}

#[tokio::test]
async fn of_replicas() {
    let settings = [&SAFE[..], &["--repl-diskless-sync-delay", "0"]].concat();
    let Some(main) = Redis::start(&settings) else { return };
    let store = store_of(&main).await;
    let few = Warning::TooFewReplicas { replicas: 0, awaited: 1 };
    assert_eq!(warnings(&store.clone().wait_replicas(1, Duration::ZERO)).await, [few]);

    let port = main.port().to_string();
    let settings = [&SAFE[..], &["--replicaof", "127.0.0.1", &port]].concat();
    let Some(replica) = Redis::start(&settings) else { return };
    let mut beside = beside(&main);
    until("a replica", || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut beside).unwrap();
        info.contains("state=online")
    });
    assert_eq!(warnings(&store).await, [Warning::WaitsForNoReplica { replicas: 1 }]);
    assert_eq!(warnings(&store.wait_replicas(1, Duration::ZERO)).await, []);
    assert_eq!(warnings(&store_of(&replica).await).await, [Warning::IsReplica]);
}

#[tokio::test]
async fn of_what_is_forbidden() {
    let unknown = |settings: &[&'static str]| -> Vec<Warning> {
        settings.iter().map(|setting| Warning::Unknown { setting }).collect()
    };
    let Some(server) = Redis::start(&SAFE) else { return };
    let mut beside = beside(&server);
    for (forbidden, expected) in [
        ("-config", unknown(&["appendfsync"])),
        ("-info", unknown(&["maxmemory-policy", "appendonly", "role", "appendfsync"])),
    ] {
        let mut acl = redis::cmd("ACL");
        acl.arg(&["SETUSER", "app", "on", ">word", "~*", "+@all", "-config", forbidden]);
        acl.exec(&mut beside).unwrap();
        let url = format!("redis://app:word@127.0.0.1:{}", server.port());
        let store = RedisStore::new(connected(url).await);
        assert_eq!(warnings(&store).await, expected);
        assert!(expected[0].to_string().contains("unknown"), "{expected:?}");
    }

    // As those do who offer Redis as a service.
    let settings = [&SAFE[..], &["--rename-command", "CONFIG", "hidden"]].concat();
    let Some(server) = Redis::start(&settings) else { return };
    assert_eq!(warnings(&store_of(&server).await).await, unknown(&["appendfsync"]));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error() {
    let Some(server) = Redis::start(&[]) else { return };
    let proxy = Proxy::to(server.port());
    let client = Client::open(Redis::url_at(proxy.port())).unwrap();
    let store = RedisStore::new(client.get_multiplexed_async_connection().await.unwrap());
    proxy.cut();
    store.check().await.unwrap_err();
}
