//! `reqwest` 0.12, with the features `reqwest-012` and `reqwest-012-blocking`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use reqwest_012::{Client, Method, Response, blocking, redirect};
use resilience::http::{
    HttpError, HttpResponse, RetryLayer, classify, classify_chain, classify_response,
};
use resilience::{Effect, FailureClass, RetryPolicy, retry, testing};
use tower::{Layer, ServiceExt};

use crate::server::{Act::*, Server};
use crate::{OK, SCENARIOS, Scenario, check};

fn client(scenario: &Scenario) -> Client {
    let builder = Client::builder().no_proxy().timeout(scenario.limit());
    builder.redirect(redirect::Policy::none()).build().expect("a client")
}

#[retry(on = classify, on_ok = |it| classify_response(&it.0), idempotent = method.is_idempotent())]
async fn fetch(
    client: &Client,
    method: Method,
    url: &str,
) -> reqwest_012::Result<(http::Response<()>, String)> {
    let response = client.request(method.clone(), url).send().await?;
    Ok((head(&response), response.text().await?))
}

#[retry(on = classify, on_ok = |it| classify_response(&it.0), idempotent = method.is_idempotent())]
fn fetch_blocking(
    client: &blocking::Client,
    method: &Method,
    url: &str,
) -> reqwest_012::Result<(http::Response<()>, String)> {
    let response = client.request(method.clone(), url).send()?;
    Ok((head(&response), response.text()?))
}

/// Copies the status and the headers.
fn head(response: &impl HttpResponse) -> http::Response<()> {
    let mut head = http::Response::new(());
    *head.status_mut() = response.status();
    head.headers_mut().clone_from(response.headers());
    head
}

#[tokio::test]
async fn every_scenario() {
    let _guard = testing::no_waits();
    for scenario in &SCENARIOS {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let post = method == Method::POST;
            let result = fetch(&client(scenario), method, &server.url()).await;
            check(scenario, post, &server, result.ok().map(|it| it.0.status().as_u16()));
        }
    }
}

#[test]
fn every_scenario_of_the_blocking_client() {
    let _guard = testing::no_waits();
    for scenario in &SCENARIOS {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let post = method == Method::POST;
            let client = blocking::Client::builder().no_proxy().timeout(scenario.limit());
            let result = fetch_blocking(&client.build().expect("a client"), &method, &server.url());
            check(scenario, post, &server, result.ok().map(|it| it.0.status().as_u16()));
        }
    }
}

#[tokio::test]
async fn errors_of_each_stage() {
    let plain = Client::builder().no_proxy().build().expect("a client");
    let builder = plain.get("no url").send().await.expect_err("a malformed URL");
    assert_eq!(classify(&builder), FailureClass::permanent().effect(Effect::NotSent));
    let refused = plain.get("http://127.0.0.1:1/").send().await.expect_err("no server");
    assert_eq!(classify(&refused), FailureClass::transient().effect(Effect::NotSent));
    let server = Server::new(&[Respond(500, "")]);
    let response = plain.get(server.url()).send().await.expect("a response");
    let status = response.error_for_status().expect_err("a status");
    assert_eq!(classify(&status), FailureClass::transient());
    let boxed: Box<dyn std::error::Error + Send + Sync> = refused.into();
    assert_eq!(classify(&boxed), FailureClass::transient().effect(Effect::NotSent));
    assert_eq!(classify_chain(&*boxed), FailureClass::transient().effect(Effect::NotSent));
}

#[tokio::test]
async fn a_response_and_an_error_are_known_by_type() {
    fn known<E: HttpError, R: HttpResponse>() {}
    known::<reqwest_012::Error, Response>();
    known::<reqwest_012::Error, blocking::Response>();
}

#[tokio::test]
async fn the_retry_layer_repeats_a_request() {
    let server = Server::new(&[Respond(503, ""), OK]);
    let client = Client::builder().no_proxy().build().expect("a client");
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let service = RetryLayer::new(
        RetryPolicy::new().base_delay(std::time::Duration::from_millis(1)),
    )
    .layer(tower::service_fn(move |request| {
        count.fetch_add(1, SeqCst);
        client.execute(request)
    }));
    let request = reqwest_012::Request::new(Method::GET, server.url().parse().expect("a URL"));
    let response = service.oneshot(request).await.expect("a response");
    assert_eq!((response.status().as_u16(), calls.load(SeqCst)), (200, 2));
    assert_eq!(server.requests(), 2);
}
