//! Every effect happens once: many clients with bad manners, two servers, one database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnInterrupted;
use resilience::stores::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::Runs;
use crate::directory::Directory;
use crate::raw_client::{TIME_LIMIT, pay, request};
use crate::server::Server;

const KEYS: usize = 40;
const REQUESTS: usize = 8;

/// The number of effects per key.
type Effects = Arc<Mutex<BTreeMap<String, usize>>>;

async fn server(
    store: SqliteStore,
    mode: OnInterrupted,
    effects: &Effects,
    runs: &Runs,
) -> (Server, IdempotencyLayer<SqliteStore>) {
    let layer = IdempotencyLayer::global("effects", store)
        .on_interrupted(mode)
        .store_timeout(Duration::from_secs(10));
    let (effects, runs) = (Arc::clone(effects), runs.clone());
    let handler = async move |headers: HeaderMap| {
        let key = headers["idempotency-key"].to_str().expect("text").to_owned();
        sleep(Duration::from_millis(1)).await;
        *effects.lock().expect("no panic under the lock").entry(key.clone()).or_default() += 1;
        runs.increment();
        sleep(Duration::from_millis(1)).await;
        key
    };
    let api = Router::new().route("/pay", on_post(handler)).layer(layer.clone());
    (Server::start(api).await, layer)
}

/// The manners of a client.
async fn visit(address: SocketAddr, key: String, manner: usize) {
    let bytes = request(&format!("idempotency-key: {key}\r\n"), "10 EUR");
    let mut stream = TcpStream::connect(address).await.expect("a server");
    let half = bytes.len() / 2;
    match manner % 5 {
        // Leaves before, while, and after the handler runs.
        0 => stream.write_all(&bytes[..half]).await.expect("the server reads"),
        1 => stream.write_all(&bytes).await.expect("the server reads"),
        2 => {
            stream.write_all(&bytes).await.expect("the server reads");
            sleep(Duration::from_millis(2)).await;
        }
        // Sends slowly.
        3 => {
            stream.write_all(&bytes[..half]).await.expect("the server reads");
            sleep(Duration::from_millis(1)).await;
            stream.write_all(&bytes[half..]).await.expect("the server reads");
            _ = stream.read_to_end(&mut Vec::new()).await;
        }
        _ => {
            stream.write_all(&bytes).await.expect("the server reads");
            _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_effect_happens_once() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let directory = Directory::new(&format!("effects-{mode:?}"));
        let database = directory.file("idempotency.db");
        let (effects, runs) = (Effects::default(), Runs::default());
        let mut servers = Vec::new();
        for _ in 0..2 {
            let store = SqliteStore::open(&database).await.expect("a database");
            servers.push(server(store, mode, &effects, &runs).await);
        }
        let mut clients = JoinSet::new();
        for number in 0..KEYS * REQUESTS {
            // A fixed permutation: the requests of a key are spread over servers and manners.
            let (key, manner) = (format!("key-{}", number % KEYS), number * 7 / 3);
            let address = servers[number * 5 % 2].0.address;
            clients.spawn(visit(address, key, manner));
        }
        clients.join_all().await;
        // Every key settles on a response: by then its effect has happened, once.
        for number in 0..KEYS {
            let key = format!("key-{number}");
            let begin = Instant::now();
            let response = loop {
                let response = pay(servers[number % 2].0.address, &key).await;
                // The first complete request of a key whose clients all left early, or a replay.
                if response.status == 200 {
                    break response;
                }
                let problem = response.problem();
                assert_eq!(problem.as_deref(), Some("in-progress"), "{mode:?} {key}");
                assert!(begin.elapsed() < TIME_LIMIT, "{mode:?} {key}");
                sleep(Duration::from_millis(2)).await;
            };
            assert_eq!(response.text(), key);
            assert!(pay(servers[number % 2].0.address, &key).await.is_replay());
        }
        for (_, layer) in &servers {
            assert_eq!(layer.drain(TIME_LIMIT).await, 0);
        }
        let effects = effects.lock().expect("no panic under the lock");
        assert_eq!((effects.len(), runs.count()), (KEYS, KEYS), "{effects:?}");
    }
}
