//! Clients that disconnect, and handlers that panic.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnInterrupted;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::raw_client::{exchange, pay, request};
use crate::server::Server;
use crate::{Memory, Runs, layer};

/// A server whose handler starts, and ends after a permit of `go`.
struct SlowServer {
    server: Server,
    runs: Runs,
    started: Arc<Notify>,
    /// Notified when the handler is dropped, complete or not.
    dropped: Arc<Notify>,
    go: Arc<Semaphore>,
}

/// Notifies on drop.
struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn slow(layer: IdempotencyLayer<Memory>) -> SlowServer {
    let (runs, started, dropped) =
        (Runs::default(), Arc::<Notify>::default(), Arc::<Notify>::default());
    let go = Arc::new(Semaphore::new(0));
    let parts = (runs.clone(), Arc::clone(&started), Arc::clone(&dropped), Arc::clone(&go));
    let handler = async move || {
        let (runs, started, dropped, go) = parts;
        let _guard = NotifyOnDrop(dropped);
        let run = runs.increment();
        started.notify_one();
        go.acquire().await.expect("the semaphore is open").forget();
        format!("run {run}")
    };
    let api = Router::new().route("/pay", on_post(handler)).layer(layer);
    SlowServer { server: Server::start(api).await, runs, started, dropped, go }
}

impl SlowServer {
    /// Sends a request, waits until the handler runs, and disconnects.
    async fn disconnect(&self) {
        let mut stream = TcpStream::connect(self.server.address).await.expect("a server");
        let request_bytes = request("idempotency-key: k\r\n", "10 EUR");
        stream.write_all(&request_bytes).await.expect("the server reads");
        self.started.notified().await;
    }

    /// Returns the first response other than `in-progress`.
    async fn final_response(&self) -> crate::raw_client::RawResponse {
        loop {
            let response = pay(self.server.address, "k").await;
            if response.problem().as_deref() != Some("in-progress") {
                return response;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn a_handler_continues_after_a_disconnect() {
    let slow = slow(layer()).await;
    slow.disconnect().await;
    // The server has seen the disconnect, and the handler still runs.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(pay(slow.server.address, "k").await.problem().as_deref(), Some("in-progress"));
    slow.go.add_permits(1);
    let response = slow.final_response().await;
    assert_eq!((response.status, response.text(), response.is_replay()), (200, "run 1", true));
    assert_eq!(slow.runs.count(), 1);
}

#[tokio::test]
async fn without_detach_a_disconnect_drops_the_handler() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let slow = slow(layer().detach(false).on_interrupted(mode)).await;
        slow.disconnect().await;
        slow.dropped.notified().await;
        // An unknown outcome is not a running request: no lease has to expire.
        slow.go.add_permits(1);
        let response = slow.final_response().await;
        if mode == OnInterrupted::Rerun {
            assert_eq!((response.text(), response.is_replay()), ("run 2", false));
            assert_eq!(slow.runs.count(), 2);
        } else {
            assert_eq!(response.problem().as_deref(), Some("outcome-unknown"));
            assert_eq!(slow.runs.count(), 1);
        }
    }
}

#[tokio::test]
async fn a_panic_propagates_and_ends_the_call() {
    for is_detached in [true, false] {
        for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
            let layer = layer().detach(is_detached).on_interrupted(mode);
            let (api, runs) = crate::api(layer, |run| {
                assert!(run > 1, "scripted panic");
                format!("run {run}")
            });
            let server = Server::start(api).await;
            // The connection closes without a response, as without the layer.
            let request_bytes = request("idempotency-key: k\r\n", "10 EUR");
            assert!(exchange(server.address, &request_bytes).await.is_empty());
            let response = pay(server.address, "k").await;
            if mode == OnInterrupted::Rerun {
                assert_eq!((response.text(), runs.count()), ("run 2", 2));
            } else {
                assert_eq!(response.problem().as_deref(), Some("outcome-unknown"));
                assert_eq!(runs.count(), 1);
            }
        }
    }
}
