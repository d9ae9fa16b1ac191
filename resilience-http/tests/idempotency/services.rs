//! Several services, and several hosts, with one store.

use resilience::http::IdempotencyLayer;

use crate::raw_client::{RawResponse, send};
use crate::server::Server;
use crate::{Memory, counting};

fn to_host(target: &str, host: &str) -> Vec<u8> {
    format!("POST {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 6\r\nconnection: close\r\nidempotency-key: k\r\n\r\n10 EUR").into()
}

#[tokio::test]
async fn two_services_with_one_store_are_independent() {
    let store = Memory::default();
    let (shop, shop_runs) =
        counting(IdempotencyLayer::new("shop", Memory::clone(&store), |_| "ada"));
    let (bank, bank_runs) = counting(IdempotencyLayer::new("bank", store, |_| "ada"));
    let (shop, bank) = (Server::start(shop).await, Server::start(bank).await);
    for is_replay in [false, true] {
        for server in [&shop, &bank] {
            let response = send(server.address, &to_host("/pay", "api")).await;
            assert_eq!((response.text(), response.is_replay()), ("run 1", is_replay));
        }
    }
    assert_eq!((shop_runs.count(), bank_runs.count()), (1, 1));
}

#[tokio::test]
async fn another_host_never_gets_the_response() {
    let (api, runs) = counting(crate::layer());
    let server = Server::start(api).await;
    let ask = async |target: &str, host: &str| -> RawResponse {
        send(server.address, &to_host(target, host)).await
    };
    assert_eq!(ask("/pay", "acme.example").await.text(), "run 1");
    for (target, host) in [
        ("/pay", "globex.example"),
        ("http://globex.example/pay", "acme.example"),
        ("/pay", "acme.example:8080"),
        // A handler can read the `Host` line, although the target overrules the line.
        ("http://acme.example/pay", "globex.example"),
    ] {
        let response = ask(target, host).await;
        let problem = response.problem();
        assert_eq!(
            (response.status, problem.as_deref()),
            (422, Some("key-reused")),
            "{target} {host}"
        );
    }
    for (target, host) in [
        ("/pay", "acme.example"),
        ("/pay", "ACME.example"),
        ("/pay", "acme.example:80"),
        ("/pay", "acme.example:443"),
        ("http://Acme.example/pay", "acme.example"),
    ] {
        assert!(ask(target, host).await.is_replay(), "{target} {host}");
    }
    assert_eq!(runs.count(), 1);
}

/// A client that addresses the replicas of a service gets the response from each of them.
#[tokio::test]
async fn an_address_is_no_host_name() {
    let store = Memory::default();
    let (one, runs) = counting(IdempotencyLayer::global("http", Memory::clone(&store)));
    let (two, other_runs) = counting(IdempotencyLayer::global("http", store));
    let (one, two) = (Server::start(one).await, Server::start(two).await);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for (number, address) in [one.address, two.address, one.address].into_iter().enumerate() {
        let request = client.post(format!("http://{address}/pay")).header("idempotency-key", "k");
        let response = request.body("10 EUR").send().await.expect("a response");
        assert_eq!(response.headers().contains_key("idempotent-replayed"), number > 0);
        assert_eq!(response.text().await.expect("a body"), "run 1");
    }
    for host in ["localhost:1", "LOCALHOST", "[::1]:8080", "10.0.0.1"] {
        assert!(send(two.address, &to_host("/pay", host)).await.is_replay(), "{host}");
    }
    assert_eq!(send(two.address, &to_host("/pay", "10.0.0.1.example")).await.status, 422);
    assert_eq!((runs.count(), other_runs.count()), (1, 0));
}
