//! Idempotency keys and a host cooldown in front of a server.

use std::time::Duration;

use ::reqwest::{Client, Response};
use resilience::http::{
    HostCooldown, IDEMPOTENCY_KEY, IdempotencyKey, classify, classify_response,
};
use resilience::{retry, testing};

use crate::OK;
use crate::server::{Act::*, Server};

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

#[retry(on = classify, on_ok = classify_response)]
async fn order(client: &Client, url: &str, key: &IdempotencyKey) -> reqwest::Result<Response> {
    client.post(url).header(IDEMPOTENCY_KEY, key).send().await
}

#[tokio::test]
async fn every_attempt_of_a_call_sends_one_key() {
    let _guard = testing::no_waits();
    let server = Server::new(&[Close, Respond(503, ""), OK]);
    let key = IdempotencyKey::new();
    assert!(order(&client(), &server.url(), &key).await.is_ok());
    assert_eq!(server.keys(), [key.as_str(); 3]);
    let second = IdempotencyKey::new();
    assert!(order(&client(), &server.url(), &second).await.is_ok());
    assert_eq!(server.keys().last().map(String::as_str), Some(second.as_str()));
    assert_ne!(key, second);
}

#[tokio::test]
async fn every_attempt_sends_the_key_of_the_user() {
    #[retry(on = classify, on_ok = classify_response)]
    async fn send(client: &Client, request: &reqwest::Request) -> reqwest::Result<Response> {
        client.execute(request.try_clone().expect("a body in memory")).await
    }
    let _guard = testing::no_waits();
    let server = Server::new(&[Close, OK]);
    let request = client().post(server.url()).header(IDEMPOTENCY_KEY, "order-7").body("{}");
    let mut request = request.build().expect("a request");
    assert!(!IdempotencyKey::new().apply(request.headers_mut()));
    assert!(send(&client(), &request).await.is_ok());
    assert_eq!(server.keys(), ["order-7"; 2]);
}

#[tokio::test]
async fn one_429_stops_a_hundred_callers() {
    static COOLDOWN: HostCooldown = HostCooldown::new().max_wait(Duration::ZERO);

    async fn get(client: &Client, url: &str) -> Result<Response, Box<dyn std::error::Error>> {
        COOLDOWN.enter(url).await?;
        let response = client.get(url).send().await?;
        COOLDOWN.observe(url, &response);
        Ok(response)
    }
    let server = Server::new(&[Respond(429, "retry-after: 30\r\n"), OK]);
    let client = client();
    assert!(get(&client, &server.url()).await.is_ok_and(|it| it.status() == 429));
    for _ in 0..100 {
        let error = get(&client, &server.url()).await.expect_err("the host is cooling");
        assert!(error.is::<resilience::Rejected>());
    }
    assert_eq!(server.requests(), 1);
    COOLDOWN.clear();
    assert!(get(&client, &server.url()).await.is_ok_and(|it| it.status() == 200));
    assert_eq!(server.requests(), 2);
}
