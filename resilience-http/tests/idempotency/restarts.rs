//! Records in SQLite, which outlive their server: one that is started again, and one that is killed (C18).

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
use crate::server::Server;
use crate::raw_client::{Answer, exchange, pay, request, send};

async fn open(database: &Path) -> SqliteStore {
    SqliteStore::open(database).await.expect("a database")
}

#[tokio::test]
async fn a_server_that_is_started_again_knows_what_it_has_answered() {
    let directory = Directory::new("restart");
    let database = directory.file("idempotency.db");
    let store = open(&database).await;
    let (api, runs) = counting(IdempotencyLayer::global(store.clone()));
    let server = Server::start(api).await;
    let first = pay(server.address, "k").await;
    assert_eq!((first.text(), first.is_replay(), runs.count()), ("run 1", false, 1));
    drop(server);
    store.pool().close().await;

    let (api, runs) = counting(IdempotencyLayer::global(open(&database).await));
    let server = Server::start(api).await;
    let again = pay(server.address, "k").await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("run 1", true, 0));
    let other = request("idempotency-key: k\r\n", "99 EUR");
    assert_eq!(send(server.address, &other).await.status, 422);
    assert_eq!(pay(server.address, "l").await.text(), "run 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_with_one_database_handle_a_request_once() {
    let directory = Directory::new("two-servers");
    let database = directory.file("idempotency.db");
    let mut servers = Vec::new();
    for _ in 0..2 {
        let layer = IdempotencyLayer::global(open(&database).await).wait(Duration::from_secs(30));
        let layer = layer.store_timeout(Duration::from_secs(10));
        let (api, runs) = counting(layer);
        servers.push((Server::start(api).await, runs));
    }
    let addresses: Vec<_> = servers.iter().map(|(server, _)| server.address).collect();
    let mut clients: JoinSet<_> = (0..32).map(|client| pay(addresses[client % 2], "k")).collect();
    let mut fresh = 0;
    while let Some(answer) = clients.join_next().await {
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, answer.text()), (200, "run 1"));
        fresh += usize::from(!answer.is_replay());
    }
    let runs: usize = servers.iter().map(|(_, runs)| runs.count()).sum();
    assert_eq!((runs, fresh), (1, 1));
}

const LEASE: Duration = Duration::from_millis(400);

/// An API whose handler writes down that it has paid, with the key it would give to the bank; then it answers, or
/// hangs.
async fn paying(database: &Path, mode: OnInterrupted, effects: PathBuf, hangs: bool) -> Router {
    let layer = IdempotencyLayer::global(open(database).await).lease(LEASE).on_interrupted(mode);
    let handler = async move || {
        let call = IdempotencyContext::current().expect("a call");
        let mut effects = OpenOptions::new().append(true).create(true).open(effects).expect("it");
        writeln!(effects, "{}", call.child_key("bank")).expect("it is written");
        if hangs {
            pending::<()>().await;
        }
        format!("attempt {}", call.attempt())
    };
    Router::new().route("/pay", on_post(handler)).layer(layer)
}

/// The environment of the other process.
const DATABASE: &str = "RESILIENCE_TEST_DATABASE";
const EFFECTS: &str = "RESILIENCE_TEST_EFFECTS";

/// The process that is killed: a server in this test's own binary.
#[tokio::test]
#[ignore = "it is a part of `a_server_that_is_killed_between_effect_and_answer`"]
async fn the_other_process() {
    let (Some(database), Some(effects)) = (env::var_os(DATABASE), env::var_os(EFFECTS)) else {
        return;
    };
    let api = paying(database.as_ref(), OnInterrupted::Rerun, effects.into(), true).await;
    let server = Server::start(api).await;
    writeln!(io::stdout(), "\nlistening {}", server.address).expect("somebody reads it");
    pending::<()>().await;
}

struct Other(Child);

impl Other {
    fn start(database: &Path, effects: &Path) -> (Self, SocketAddr) {
        let mut process = Command::new(env::current_exe().expect("this test is a file"))
            .args(["--exact", "durable::the_other_process", "--ignored", "--nocapture"])
            .env(DATABASE, database)
            .env(EFFECTS, effects)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test starts");
        let output = process.stdout.take().expect("it is piped");
        let other = Self(process);
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("listening ")?.parse().ok());
        (other, address.expect("it tells its address"))
    }
}

impl Drop for Other {
    /// By SIGKILL.
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What is answered when the lease of one that was killed is over.
async fn eventually(address: SocketAddr) -> Answer {
    loop {
        let answer = pay(address, "k").await;
        if answer.problem().as_deref() != Some("in-progress") {
            return answer;
        }
        assert_eq!(answer.header("retry-after"), Some("1"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_killed_between_effect_and_answer() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let directory = Directory::new(&format!("killed-{mode:?}"));
        let (database, effects) = (directory.file("idempotency.db"), directory.file("effects"));
        let (other, address) = Other::start(&database, &effects);
        let asked = request("idempotency-key: k\r\n", "10 EUR");
        let asked = tokio::spawn(async move { exchange(address, &asked).await });
        while lines(&effects).is_empty() {
            assert!(!asked.is_finished(), "it hangs");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(other);
        assert!(asked.await.expect("a connection").is_empty());

        let api = paying(&database, mode, effects.clone(), false).await;
        let server = Server::start(api).await;
        let answer = eventually(server.address).await;
        let effects = lines(&effects);
        if mode == OnInterrupted::Rerun {
            // Twice, and the bank can tell that it is the same.
            assert_eq!((answer.status, answer.text()), (200, "attempt 2"));
            let [first, second] = &effects[..] else { panic!("two effects: {effects:?}") };
            assert_eq!(first, second);
            assert!(pay(server.address, "k").await.is_replay());
        } else {
            assert_eq!(answer.problem().as_deref(), Some("outcome-unknown"));
            assert_eq!(answer.header("retry-after"), None);
            assert_eq!(effects.len(), 1);
        }
    }
}
