//! The blocking client of `reqwest`.

use std::cell::Cell;
use std::time::Duration;

use ::reqwest::Method;
use ::reqwest::blocking::{Client, Response};
use resilience::http::{classify, classify_response};
use resilience::{retry, testing};

use crate::server::{Act::*, Server};
use crate::{KEPT, KEPT_SCRIPT, OK, SCENARIOS, check};

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(10);

fn client(limit: Duration) -> Client {
    let builder = Client::builder().no_proxy().timeout(limit);
    builder.build().expect("a client")
}

#[retry(on = classify, on_ok = classify_response, idempotent = method.is_idempotent())]
fn fetch(
    client: &Client,
    method: &Method,
    url: &str,
) -> Result<http::Response<String>, reqwest::Error> {
    let response = client.request(method.clone(), url).send()?;
    let mut whole = http::Response::builder().status(response.status());
    if let Some(headers) = whole.headers_mut() {
        headers.clone_from(response.headers());
    }
    let body = response.text()?;
    Ok(whole.body(body).expect("a response"))
}

#[test]
fn every_scenario() {
    let _guard = testing::no_waits();
    for scenario in &SCENARIOS {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let post = method == Method::POST;
            let result = fetch(&client(scenario.limit()), &method, &server.url());
            check(scenario, post, &server, result.ok().map(|it| it.status().as_u16()));
        }
    }
}

#[test]
fn a_response_of_the_client_is_classified() {
    #[retry(on = classify, on_ok = classify_response)]
    fn get(url: &str) -> reqwest::Result<Response> {
        client(LIMIT).get(url).send()
    }
    let _guard = testing::no_waits();
    let server = Server::new(&[Respond(503, ""), Respond(429, "retry-after: 7\r\n"), OK]);
    assert!(get(&server.url()).is_ok_and(|it| it.status().is_success()));
    assert_eq!(server.requests(), 3);
}

#[test]
fn a_get_survives_a_closed_kept_alive_connection() {
    let _guard = testing::no_waits();
    for (method, received, ended) in KEPT {
        let server = Server::new(&KEPT_SCRIPT);
        let client = client(LIMIT);
        assert!(fetch(&client, &method, &server.url()).is_ok());
        let result = fetch(&client, &method, &server.url());
        assert_eq!(result.ok().map(|it| it.status().as_u16()), ended);
        assert_eq!(server.requests(), received);
    }
}

#[test]
fn a_refused_connection_is_retried_for_every_method() {
    #[retry(on = classify, idempotent = method.is_idempotent())]
    fn send(method: &Method, url: &str, calls: &Cell<u32>) -> reqwest::Result<Response> {
        calls.set(calls.get() + 1);
        client(LIMIT).request(method.clone(), url).send()
    }
    let _guard = testing::no_waits();
    for method in [Method::GET, Method::POST] {
        let calls = Cell::new(0);
        assert!(send(&method, &Server::unused_url(), &calls).is_err_and(|it| it.is_connect()));
        assert_eq!(calls.get(), 3);
    }
}
