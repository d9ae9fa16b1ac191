//! The client of `hyper-util` as a service, with a timeout for each attempt.

use ::hyper_util::client::legacy::{Client, connect::HttpConnector};
use ::hyper_util::rt::TokioExecutor;
use axum::body::{Body, HttpBody};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use resilience::http::{CircuitBreakerLayer, RetryLayer, TimeoutLayer};
use resilience::{CircuitBreaker, Rejected, testing};
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt};

use super::POLICY;
use crate::server::{Act::*, Server};
use crate::{OK, SCENARIOS, check};

fn client<B>() -> Client<HttpConnector, B>
where
    B: HttpBody<Data: Send> + Send,
{
    Client::builder(TokioExecutor::new()).build_http()
}

fn request<B>(method: &Method, server: &Server, body: B) -> Request<B> {
    Request::builder().method(method).uri(server.url()).body(body).expect("a request")
}

/// Reads the whole response within the attempt.
async fn whole(response: Response<Incoming>) -> Result<Response<String>, BoxError> {
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(Body::new(body), 1000).await?;
    Ok(Response::from_parts(head, String::from_utf8(body.to_vec())?))
}

#[tokio::test]
async fn every_scenario() {
    // `no_waits` is unsuitable here: the timeout would pass at once.
    let _draws = testing::draws([0.0]);
    for scenario in SCENARIOS.iter().filter(|it| it.name != "429, later") {
        for method in [Method::GET, Method::POST] {
            let server = Server::new(scenario.script);
            let service = ServiceBuilder::new()
                .layer(RetryLayer::new(POLICY))
                .layer(TimeoutLayer::new(scenario.limit()))
                .service(client().map_err(BoxError::from).and_then(whole));
            let result = service.oneshot(request(&method, &server, String::new())).await;
            let ended = result.ok().map(|it| it.status().as_u16());
            check(scenario, method == Method::POST, &server, ended);
        }
    }
}

#[tokio::test]
async fn the_client_error_is_classified_and_returned() {
    let _guard = testing::no_waits();
    for (method, received) in [(Method::GET, 2), (Method::POST, 1)] {
        let server = Server::new(&[Close, OK]);
        let service = RetryLayer::new(POLICY).layer(client());
        let result = service.oneshot(request(&method, &server, String::new())).await;
        assert_eq!((result.is_ok(), server.requests()), (received == 2, received));
        assert!(result.err().is_none_or(|error| !error.is_connect()));
    }
}

#[tokio::test]
async fn an_empty_axum_body_is_sent_again() {
    let _guard = testing::no_waits();
    for (body, received) in [(Body::empty(), 2), (Body::from("hello"), 1)] {
        let server = Server::new(&[Respond(503, ""), OK]);
        let layer =
            RetryLayer::new(POLICY).replay(|body: &Body| body.is_end_stream().then(Body::empty));
        let response = layer.layer(client()).oneshot(request(&Method::PUT, &server, body)).await;
        assert_eq!(response.expect("a response").status().is_success(), received == 2);
        assert_eq!(server.requests(), received);
    }
}

#[tokio::test]
async fn breakers_of_hosts_are_independent() {
    let _guard = testing::no_waits();
    let make = || CircuitBreaker::new().failure_threshold(2);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY))
        .layer(CircuitBreakerLayer::per_host(10, make))
        .service(client());
    let (failing, working) = (Server::new(&[Reset]), Server::new(&[OK]));
    for call in 0..5 {
        let failed = service.clone().oneshot(request(&Method::GET, &failing, String::new())).await;
        // The failure that opens the circuit ends the first call.
        assert_eq!(failed.expect_err("no response").is::<Rejected>(), call > 0);
        let worked = service.clone().oneshot(request(&Method::GET, &working, String::new())).await;
        assert_eq!(worked.expect("a response").status(), 200);
    }
    assert_eq!((failing.requests(), working.requests()), (2, 5));
}

#[tokio::test]
async fn a_refused_connection_is_retried_for_every_method() {
    let _guard = testing::no_waits();
    let calls = std::cell::Cell::new(0);
    let counted = tower::util::MapRequest::new(client(), |request: Request<String>| {
        calls.set(calls.get() + 1);
        request
    });
    let request = Request::post(Server::unused_url()).body(String::new()).expect("a request");
    let error = RetryLayer::new(POLICY).layer(counted).oneshot(request).await;
    assert!(error.expect_err("no listener").is_connect());
    assert_eq!(calls.get(), 3);
}
