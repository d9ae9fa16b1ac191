//! Records in SQLite outlive the server: a restarted server, and a killed server.

use std::fs::{self, OpenOptions};
use std::future::pending;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, io};

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::{IdempotencyContext, OnInterrupted};
use resilience::stores::SqliteStore;
use tokio::task::JoinSet;

use crate::counting;
use crate::directory::Directory;
use crate::raw_client::{RawResponse, exchange, pay, request, send};
use crate::server::Server;

async fn open(database: &Path) -> SqliteStore {
    SqliteStore::open(database).await.expect("a database")
}

#[tokio::test]
async fn a_restarted_server_replays() {
    let directory = Directory::new("restart");
    let database = directory.file("idempotency.db");
    let store = open(&database).await;
    let (api, runs) = counting(IdempotencyLayer::global("http", store.clone()));
    let server = Server::start(api).await;
    let first = pay(server.address, "k").await;
    assert_eq!((first.text(), first.is_replay(), runs.count()), ("run 1", false, 1));
    drop(server);
    store.pool().close().await;

    let (api, runs) = counting(IdempotencyLayer::global("http", open(&database).await));
    let server = Server::start(api).await;
    let again = pay(server.address, "k").await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("run 1", true, 0));
    let other = request("idempotency-key: k\r\n", "99 EUR");
    assert_eq!(send(server.address, &other).await.status, 422);
    assert_eq!((pay(server.address, "l").await.text(), runs.count()), ("run 1", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_with_one_database_run_a_request_once() {
    let directory = Directory::new("two-servers");
    let database = directory.file("idempotency.db");
    let mut servers = Vec::new();
    for _ in 0..2 {
        let layer =
            IdempotencyLayer::global("http", open(&database).await).wait(Duration::from_secs(30));
        let layer = layer.store_timeout(Duration::from_secs(10));
        let (api, runs) = counting(layer);
        servers.push((Server::start(api).await, runs));
    }
    let addresses: Vec<_> = servers.iter().map(|(server, _)| server.address).collect();
    let mut clients: JoinSet<_> = (0..32).map(|client| pay(addresses[client % 2], "k")).collect();
    let mut fresh = 0;
    while let Some(response) = clients.join_next().await {
        let response = response.expect("a response");
        assert_eq!((response.status, response.text()), (200, "run 1"));
        fresh += usize::from(!response.is_replay());
    }
    let runs: usize = servers.iter().map(|(_, runs)| runs.count()).sum();
    assert_eq!((runs, fresh), (1, 1));
}

const LEASE: Duration = Duration::from_millis(400);

/// Makes an API whose handler writes the child key for the bank to a file, and then responses or
/// hangs.
async fn paying(database: &Path, mode: OnInterrupted, effects: PathBuf, hangs: bool) -> Router {
    let layer =
        IdempotencyLayer::global("http", open(database).await).lease(LEASE).on_interrupted(mode);
    let handler = async move || {
        let call = IdempotencyContext::current().expect("a call");
        let mut effects =
            OpenOptions::new().append(true).create(true).open(effects).expect("a value");
        writeln!(effects, "{}", call.child_key("bank")).expect("the effect is written");
        if hangs {
            pending::<()>().await;
        }
        format!("attempt {}", call.attempt())
    };
    Router::new().route("/pay", on_post(handler)).layer(layer)
}

/// The environment variables of the child process.
const DATABASE: &str = "RESILIENCE_TEST_DATABASE";
const EFFECTS: &str = "RESILIENCE_TEST_EFFECTS";

/// The killed process: a server in the binary of this test.
#[tokio::test]
#[ignore = "part of `a_server_killed_between_effect_and_response`"]
async fn the_child_process() {
    let (Some(database), Some(effects)) = (env::var_os(DATABASE), env::var_os(EFFECTS)) else {
        return;
    };
    let api = paying(database.as_ref(), OnInterrupted::Rerun, effects.into(), true).await;
    let server = Server::start(api).await;
    writeln!(io::stdout(), "\nlistening {}", server.address).expect("stdout is open");
    pending::<()>().await;
}

struct ChildServer(Child);

impl ChildServer {
    fn start(database: &Path, effects: &Path) -> (Self, SocketAddr) {
        let mut process = Command::new(env::current_exe().expect("a test binary"))
            .args(["--exact", "restarts::the_child_process", "--ignored", "--nocapture"])
            .env(DATABASE, database)
            .env(EFFECTS, effects)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let output = process.stdout.take().expect("stdout is piped");
        let child = Self(process);
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("listening ")?.parse().ok());
        (child, address.expect("the child prints an address"))
    }
}

impl Drop for ChildServer {
    /// Kills the process by SIGKILL.
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Returns the first response after the lease of the killed process has expired.
async fn final_response(address: SocketAddr) -> RawResponse {
    loop {
        let response = pay(address, "k").await;
        if response.problem().as_deref() != Some("in-progress") {
            return response;
        }
        assert_eq!(response.header("retry-after"), Some("1"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_killed_between_effect_and_response() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let directory = Directory::new(&format!("killed-{mode:?}"));
        let (database, effects) = (directory.file("idempotency.db"), directory.file("effects"));
        let (child, address) = ChildServer::start(&database, &effects);
        let request_bytes = request("idempotency-key: k\r\n", "10 EUR");
        let first = tokio::spawn(async move { exchange(address, &request_bytes).await });
        while lines(&effects).is_empty() {
            assert!(!first.is_finished(), "the handler hangs");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(child);
        assert!(first.await.expect("a connection").is_empty());

        let api = paying(&database, mode, effects.clone(), false).await;
        let server = Server::start(api).await;
        let response = final_response(server.address).await;
        let effects = lines(&effects);
        if mode == OnInterrupted::Rerun {
            // The effect happened twice, and the equal child keys let the bank detect the
            // repetition.
            assert_eq!((response.status, response.text()), (200, "attempt 2"));
            let [first, second] = &effects[..] else { panic!("two effects: {effects:?}") };
            assert_eq!(first, second);
            assert!(pay(server.address, "k").await.is_replay());
        } else {
            assert_eq!(response.problem().as_deref(), Some("outcome-unknown"));
            assert_eq!(response.header("retry-after"), None);
            assert_eq!(effects.len(), 1);
        }
    }
}
