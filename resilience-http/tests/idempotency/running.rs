//! Handlers that continue after a disconnect: their number has a limit, and a shutdown waits.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::stores::SqliteStore;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use crate::directory::Directory;
use crate::raw_client::{RawResponse, pay, request};
use crate::server::Server;
use crate::{Memory, Runs, ask, counting, layer, post};

/// An API whose handlers end after a permit of `go`.
struct Gated {
    api: Router,
    runs: Runs,
    running: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

struct CountWhileAlive(Arc<AtomicUsize>);

impl Drop for CountWhileAlive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn gated(layer: IdempotencyLayer<Memory>) -> Gated {
    let (runs, running) = (Runs::default(), Arc::<AtomicUsize>::default());
    let go = Arc::new(Semaphore::new(0));
    let parts = (runs.clone(), Arc::clone(&running), Arc::clone(&go));
    let handler = async move || {
        let (runs, running, go) = parts;
        running.fetch_add(1, SeqCst);
        let _guard = CountWhileAlive(running);
        let run = runs.increment();
        go.acquire().await.expect("the semaphore is open").forget();
        format!("run {run}")
    };
    Gated { api: Router::new().route("/pay", on_post(handler)).layer(layer), runs, running, go }
}

impl Gated {
    async fn wait_for_runs(&self, count: usize) {
        while self.runs.count() < count {
            tokio::task::yield_now().await;
        }
    }
}

/// Sends a request, and disconnects after the head of a response or after a short time.
async fn disconnect(address: std::net::SocketAddr, key: usize) {
    let mut stream = TcpStream::connect(address).await.expect("a server");
    let bytes = request(&format!("idempotency-key: {key}\r\n"), "10 EUR");
    stream.write_all(&bytes).await.expect("the server reads");
    _ = tokio::time::timeout(Duration::from_millis(10), stream.readable()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_frees_no_place_of_a_running_handler() {
    let gated = gated(layer().max_running(4));
    let server = Server::start(gated.api.clone()).await;
    let clients: tokio::task::JoinSet<_> =
        (0..100).map(|key| disconnect(server.address, key)).collect();
    clients.join_all().await;
    gated.wait_for_runs(4).await;
    // All clients have left, and the four handlers still count.
    let response = pay(server.address, "another").await;
    assert_eq!((response.status, response.problem().as_deref()), (503, Some("too-many-running")));
    assert_eq!(response.header("retry-after"), Some("1"));
    assert_eq!((gated.runs.count(), gated.running.load(SeqCst)), (4, 4));
    // A handler that ends frees its place.
    gated.go.add_permits(100);
    while gated.running.load(SeqCst) > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let response = loop {
        let response = pay(server.address, "another").await;
        if response.status != 503 {
            break response;
        }
    };
    // A request of a client that has left may have waited in the server, and run before.
    let run = response.text().strip_prefix("run ").and_then(|run| run.parse().ok());
    assert!(run.is_some_and(|run: usize| (5..=gated.runs.count()).contains(&run)), "{run:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reset_streams_free_no_place_of_a_running_handler() {
    let gated = gated(layer().max_running(4));
    let server = Server::start(gated.api.clone()).await;
    let stream = TcpStream::connect(server.address).await.expect("a server");
    let (client, connection) = h2::client::handshake(stream).await.expect("a connection");
    let connection = tokio::spawn(async move { _ = connection.await });
    for key in 0..200 {
        // The server ends a connection with too many resets.
        let Ok(mut ready) = client.clone().ready().await else { break };
        let request = Request::post("http://api/pay").header("idempotency-key", key);
        let request = request.body(()).expect("a request");
        let (_response, mut body) = ready.send_request(request, true).expect("a stream");
        if key < 4 {
            gated.wait_for_runs(key + 1).await;
        } else {
            sleep(Duration::from_millis(1)).await;
        }
        body.send_reset(h2::Reason::CANCEL);
    }
    gated.wait_for_runs(4).await;
    sleep(Duration::from_millis(5)).await;
    assert_eq!((gated.runs.count(), gated.running.load(SeqCst)), (4, 4));
    drop(client);
    connection.abort();
}

#[tokio::test]
async fn clones_and_routes_share_the_limit() {
    let layer = layer().max_running(1);
    let gated = gated(layer.clone());
    let (other, runs) = counting(layer);
    let first = tokio::spawn({
        let api = gated.api.clone();
        async move { ask(&api, post("k")).await }
    });
    gated.wait_for_runs(1).await;
    assert_eq!(ask(&other, post("l")).await.status, 503);
    gated.go.add_permits(1);
    assert_eq!(first.await.expect("a response").status, 200);
    assert_eq!(ask(&other, post("l")).await.text(), "run 1");
    assert_eq!(runs.count(), 1);
}

/// A rejected request leaves no record: the key is free for the next attempt.
#[tokio::test]
async fn a_request_above_the_limit_is_not_claimed() {
    let (api, runs) = counting(layer().max_running(0));
    assert_eq!(ask(&api, post("k")).await.problem().as_deref(), Some("too-many-running"));
    assert_eq!(runs.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_shutdown_waits_for_detached_handlers() {
    let layer = layer();
    let gated = gated(layer.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = Arc::new(Notify::new());
    let signal = Arc::clone(&shutdown);
    let api = gated.api.clone();
    let server = tokio::spawn(async move {
        axum::serve(listener, api)
            .with_graceful_shutdown(async move { signal.notified().await })
            .await
    });
    disconnect(address, 7).await;
    gated.wait_for_runs(1).await;
    shutdown.notify_one();
    server.await.expect("no panic").expect("the server ends");
    // The server has ended, and the handler still runs.
    assert_eq!(layer.drain(Duration::from_millis(5)).await, 1);
    let drained = tokio::spawn({
        let layer = layer.clone();
        async move { layer.drain(Duration::from_secs(20)).await }
    });
    gated.go.add_permits(1);
    assert_eq!(drained.await.expect("no panic"), 0);
    assert_eq!(gated.running.load(SeqCst), 0);
    // The next server replays.
    let next = Server::start(gated.api.clone()).await;
    let again = pay(next.address, "7").await;
    assert_eq!((again.text(), again.is_replay(), gated.runs.count()), ("run 1", true, 1));
}

/// A task polls a future whenever any future of the task is woken.
#[tokio::test(start_paused = true)]
async fn a_drain_that_is_polled_often_keeps_one_waker() {
    struct NoTask;

    impl Wake for NoTask {
        fn wake(self: Arc<Self>) {}
    }

    let layer = layer();
    let gated = gated(layer.clone());
    let call = tokio::spawn({
        let api = gated.api.clone();
        async move { ask(&api, post("k")).await }
    });
    gated.wait_for_runs(1).await;
    let task = Arc::new(NoTask);
    let waker = Waker::from(Arc::clone(&task));
    let mut drain = pin!(layer.drain(Duration::from_secs(20)));
    for _ in 0..100 {
        assert!(drain.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert!(Arc::strong_count(&task) < 10, "{}", Arc::strong_count(&task));
    gated.go.add_permits(1);
    assert_eq!((drain.await, call.await.expect("a response").status), (0, 200));
}

#[tokio::test]
async fn an_idle_layer_is_drained_at_once() {
    let layer = layer();
    assert_eq!(layer.drain(Duration::ZERO).await, 0);
    let (api, _) = counting(layer.clone());
    ask(&api, post("k")).await;
    assert_eq!(layer.drain(Duration::from_secs(60)).await, 0);
}

const DATABASE: &str = "RESILIENCE_TEST_DRAIN_DATABASE";

/// The process of `a_process_that_drains_loses_no_request`: a server that stops after the client
/// has left.
#[test]
#[ignore = "part of `a_process_that_drains_loses_no_request`"]
fn the_draining_process() {
    let Some(database) = std::env::var_os(DATABASE) else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = SqliteStore::open(Path::new(&database)).await.expect("a database");
        let layer = IdempotencyLayer::global("drain", store);
        let started = Arc::new(Notify::new());
        let signal = Arc::clone(&started);
        let handler = async move || {
            signal.notify_one();
            sleep(Duration::from_millis(100)).await;
            "paid"
        };
        let api = Router::new().route("/pay", on_post(handler)).layer(layer.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let client = async move {
            let mut stream = TcpStream::connect(address).await.expect("a server");
            let bytes = request("idempotency-key: k\r\n", "10 EUR");
            stream.write_all(&bytes).await.expect("the server reads");
            started.notified().await;
        };
        let serve = axum::serve(listener, api).with_graceful_shutdown(client);
        serve.await.expect("the server ends");
        assert_eq!(layer.drain(Duration::from_secs(20)).await, 0);
    });
}

#[tokio::test]
async fn a_process_that_drains_loses_no_request() {
    let directory = Directory::new("drain");
    let database = directory.file("idempotency.db");
    let child: std::io::Result<Child> =
        Command::new(std::env::current_exe().expect("a test binary"))
            .args(["--exact", "running::the_draining_process", "--ignored"])
            .env(DATABASE, &database)
            .stdout(Stdio::null())
            .spawn();
    assert!(child.expect("a child process").wait().expect("an end").success());
    let store = SqliteStore::open(&database).await.expect("a database");
    let (api, runs) = counting(IdempotencyLayer::global("drain", store));
    let server = Server::start(api).await;
    let again: RawResponse = pay(server.address, "k").await;
    assert_eq!((again.text(), again.is_replay(), runs.count()), ("paid", true, 0));
}
