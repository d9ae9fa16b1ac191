//! `reqwest::Client` as a service.

use std::sync::Arc;
use std::time::Duration;

use ::reqwest::redirect::Policy;
use ::reqwest::{Body, Client, Method, Request, Response, Url};
use resilience::http::{
    CircuitBreakerLayer, Classifier, HostCooldown, HostCooldownLayer, IDEMPOTENCY_KEY, RetryLayer,
    TimeoutLayer,
};
use resilience::{CircuitBreaker, Rejected, testing};
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::POLICY;
use crate::server::{Act::*, Server};
use crate::{KEPT, KEPT_SCRIPT, OK, SCENARIOS, check};

fn client(limit: Duration) -> Client {
    let direct = Client::builder().no_proxy().redirect(Policy::none());
    direct.timeout(limit).build().expect("a client")
}

fn patient_client() -> Client {
    client(Duration::from_secs(10))
}

fn request(method: &Method, server: &Server) -> Request {
    Request::new(method.clone(), Url::parse(&server.url()).expect("an address"))
}

/// Reads the whole response within the attempt.
async fn whole(response: Response) -> reqwest::Result<http::Response<String>> {
    let mut whole = http::Response::builder().status(response.status());
    if let Some(headers) = whole.headers_mut() {
        headers.clone_from(response.headers());
    }
    Ok(whole.body(response.text().await?).expect("a response"))
}

#[tokio::test]
async fn every_scenario() {
    let _guard = testing::no_waits();
    for scenario in &SCENARIOS {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let direct = Classifier::new().follows_redirects(false);
            let retry = RetryLayer::new(POLICY).classifier(direct);
            let layers = ServiceBuilder::new().layer(retry).and_then(whole);
            let service = layers.service(client(scenario.limit()));
            let result = service.oneshot(request(&method, &server)).await;
            let ended = result.ok().map(|it| it.status().as_u16());
            check(scenario, method == Method::POST, &server, ended);
        }
    }
}

#[tokio::test]
async fn a_get_survives_a_closed_kept_alive_connection() {
    let _guard = testing::no_waits();
    for (method, received, ended) in KEPT {
        let server = Server::new(&KEPT_SCRIPT);
        let layers = ServiceBuilder::new().layer(RetryLayer::new(POLICY)).and_then(whole);
        let service = layers.service(patient_client());
        assert!(service.clone().oneshot(request(&method, &server)).await.is_ok());
        let result = service.oneshot(request(&method, &server)).await;
        assert_eq!(result.ok().map(|it| it.status().as_u16()), ended);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn a_key_makes_a_post_retryable() {
    let _guard = testing::no_waits();
    let script = [Close, Respond(503, ""), OK];
    // Without a key, the first failure ends the call.
    let server = Server::new(&script);
    let service = RetryLayer::new(POLICY).layer(patient_client());
    assert!(service.oneshot(request(&Method::POST, &server)).await.is_err());
    assert_eq!((server.requests(), server.keys().len()), (1, 0));
    // Every attempt sends the generated key.
    let keyed = RetryLayer::new(POLICY).idempotency_keys(true).layer(patient_client());
    let server = Server::new(&script);
    let response = keyed.clone().oneshot(request(&Method::POST, &server)).await;
    assert_eq!(response.expect("a response").status(), 200);
    let keys = server.keys();
    assert_eq!((server.requests(), keys.len()), (3, 3));
    assert!(keys.iter().all(|key| key.len() == 36 && *key == keys[0]), "{keys:?}");
    // The key of the user stays, with and without generated keys.
    for service in [keyed, RetryLayer::new(POLICY).layer(patient_client())] {
        let server = Server::new(&script);
        let mut with_key = request(&Method::POST, &server);
        with_key.headers_mut().insert(IDEMPOTENCY_KEY, "order-7".try_into().expect("a value"));
        assert!(service.oneshot(with_key).await.is_ok());
        assert_eq!(server.keys(), ["order-7"; 3]);
    }
}

#[tokio::test]
async fn only_a_body_in_memory_is_sent_again() {
    let _guard = testing::no_waits();
    let text = || Body::from("amount=5");
    // To the client, every body outside of memory is a stream.
    let stream = || Body::wrap(String::from("amount=5"));
    for (body, received) in [(text(), 2), (stream(), 1)] {
        let server = Server::new(&[Respond(503, ""), OK]);
        let mut request = request(&Method::PUT, &server);
        *request.body_mut() = Some(body);
        let response = RetryLayer::new(POLICY).layer(patient_client()).oneshot(request).await;
        let expected = if received == 2 { 200 } else { 503 };
        assert_eq!(response.expect("a response").status(), expected);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn an_open_breaker_protects_the_server() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(2));
    let _guard = testing::no_waits();
    let server = Server::new(&[Respond(503, "retry-after: 30\r\n")]);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY))
        .layer(CircuitBreakerLayer::shared(breaker))
        .service(patient_client());
    let opens = service.clone().oneshot(request(&Method::GET, &server)).await;
    assert_eq!(opens.expect("the failure that opens the circuit").status(), 503);
    for _ in 0..9 {
        let error = service.clone().oneshot(request(&Method::GET, &server)).await;
        assert!(error.expect_err("the breaker is open").is::<Rejected>());
    }
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_timeout_is_retried_for_get_only() {
    let _draws = testing::draws([0.0]);
    for (method, received) in [(Method::GET, 2), (Method::POST, 1)] {
        let server = Server::new(&[Hang, OK]);
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(POLICY))
            .layer(TimeoutLayer::new(Duration::from_millis(150)))
            .service(patient_client());
        let result = service.oneshot(request(&method, &server)).await;
        assert_eq!((result.is_ok(), server.requests()), (received == 2, received));
    }
}

#[tokio::test]
async fn one_429_stops_a_hundred_callers() {
    static COOLDOWN: HostCooldown = HostCooldown::new().max_wait(Duration::ZERO);
    let server = Server::new(&[Respond(429, "retry-after: 70\r\n"), OK]);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY))
        .layer(HostCooldownLayer::new(&COOLDOWN))
        .service(patient_client());
    let first = service.clone().oneshot(request(&Method::GET, &server)).await;
    assert_eq!(first.expect("a response").headers()["retry-after"], "70");
    for _ in 0..100 {
        let error = service.clone().oneshot(request(&Method::GET, &server)).await;
        assert!(error.expect_err("the host is cooling").is::<Rejected>());
    }
    assert_eq!(server.requests(), 1);
    COOLDOWN.clear();
    let last = service.oneshot(request(&Method::GET, &server)).await;
    assert_eq!(last.expect("a response").status(), 200);
    assert_eq!(server.requests(), 2);
}

/// The limit of another host, such as a storage, is no limit of the host that redirects there.
#[tokio::test]
async fn a_429_after_a_redirect_cools_the_host_that_answers() {
    let cooldown = Arc::new(HostCooldown::new().max_wait(Duration::ZERO));
    let storage = Server::new(&[Respond(429, "retry-after: 70\r\n")]);
    let location = format!("location: {}\r\n", storage.url()).leak();
    let api = Server::new(&[Respond(302, location), OK]);
    let client = Client::builder().no_proxy().build().expect("a client");
    let service = HostCooldownLayer::shared(Arc::clone(&cooldown)).layer(client);
    let first = service.clone().oneshot(request(&Method::GET, &api)).await;
    assert_eq!(first.expect("a response").status(), 429);
    let host = |server: &Server| request(&Method::GET, server).url().authority().to_owned();
    assert!(cooldown.remaining(&host(&storage)).is_some());
    assert_eq!(cooldown.remaining(&host(&api)), None);
    let second = service.oneshot(request(&Method::GET, &api)).await;
    assert_eq!(second.expect("a response").status(), 200);
    assert_eq!((api.requests(), storage.requests()), (2, 1));
}
