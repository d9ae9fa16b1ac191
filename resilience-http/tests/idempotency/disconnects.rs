//! Clients that hang up (C30), and handlers that panic (C31).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::post as on_post;
use resilience::http::IdempotencyLayer;
use resilience::idempotent::OnInterrupted;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};

use crate::server::Server;
use crate::raw_client::{exchange, pay, request};
use crate::{Memory, Runs, layer};

/// A server whose handler begins, and ends when it is let go.
struct Slow {
    server: Server,
    runs: Runs,
    begun: Arc<Notify>,
    /// Told when the handler is dropped, done or not.
    dropped: Arc<Notify>,
    go: Arc<Semaphore>,
}

/// Tells when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn slow(layer: IdempotencyLayer<Memory>) -> Slow {
    let (runs, begun, dropped) =
        (Runs::default(), Arc::<Notify>::default(), Arc::<Notify>::default());
    let go = Arc::new(Semaphore::new(0));
    let parts = (runs.clone(), Arc::clone(&begun), Arc::clone(&dropped), Arc::clone(&go));
    let handler = async move || {
        let (runs, begun, dropped, go) = parts;
        let _told = Told(dropped);
        let run = runs.one_more();
        begun.notify_one();
        go.acquire().await.expect("it is open").forget();
        format!("run {run}")
    };
    let api = Router::new().route("/pay", on_post(handler)).layer(layer);
    Slow { server: Server::start(api).await, runs, begun, dropped, go }
}

impl Slow {
    /// A client that sends its request, waits until it is being handled, and is gone.
    async fn hang_up(&self) {
        let mut stream = TcpStream::connect(self.server.address).await.expect("a server");
        let asked = request("idempotency-key: k\r\n", "10 EUR");
        stream.write_all(&asked).await.expect("it reads");
        self.begun.notified().await;
    }

    /// What is answered as soon as the first is not in the way any more.
    async fn eventually(&self) -> crate::raw_client::Answer {
        loop {
            let answer = pay(self.server.address, "k").await;
            if answer.problem().as_deref() != Some("in-progress") {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn a_handler_goes_on_when_its_client_has_hung_up() {
    let slow = slow(layer()).await;
    slow.hang_up().await;
    // The server has seen it, and the handler is still at it.
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(pay(slow.server.address, "k").await.problem().as_deref(), Some("in-progress"));
    slow.go.add_permits(1);
    let answer = slow.eventually().await;
    assert_eq!((answer.status, answer.text(), answer.is_replay()), (200, "run 1", true));
    assert_eq!(slow.runs.count(), 1);
}

#[tokio::test]
async fn unless_it_is_not_detached() {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let slow = slow(layer().detach(false).on_interrupted(mode)).await;
        slow.hang_up().await;
        slow.dropped.notified().await;
        // What nobody knows the end of is not what somebody is busy with: there is no lease to wait for.
        slow.go.add_permits(1);
        let answer = slow.eventually().await;
        if mode == OnInterrupted::Rerun {
            assert_eq!((answer.text(), answer.is_replay()), ("run 2", false));
        } else {
            assert_eq!(answer.problem().as_deref(), Some("outcome-unknown"));
            assert_eq!(slow.runs.count(), 1);
        }
    }
}

#[tokio::test]
async fn a_panic_is_passed_on_and_the_key_given_up() {
    for detaches in [true, false] {
        for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
            let layer = layer().detach(detaches).on_interrupted(mode);
            let (api, runs) = crate::api(layer, |run| {
                assert!(run > 1, "as told");
                format!("run {run}")
            });
            let server = Server::start(api).await;
            // The connection is closed without an answer, as it is without the layer.
            let asked = request("idempotency-key: k\r\n", "10 EUR");
            assert!(exchange(server.address, &asked).await.is_empty());
            let answer = pay(server.address, "k").await;
            if mode == OnInterrupted::Rerun {
                assert_eq!((answer.text(), runs.count()), ("run 2", 2));
            } else {
                assert_eq!(answer.problem().as_deref(), Some("outcome-unknown"));
                assert_eq!(runs.count(), 1);
            }
        }
    }
}
