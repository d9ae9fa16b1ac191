//! Scopes of keys, and layers outside of the idempotency layer.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use resilience::http::IdempotencyLayer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::raw_client::RawResponse;
use crate::{Memory, ask, counting, post};

#[derive(Clone)]
struct Tenant(String);

/// Accepts a request with an `authorization` header.
async fn authenticate(mut request: Request, next: Next) -> Response {
    let Some(name) = request.headers().get("authorization") else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let tenant = Tenant(name.to_str().expect("text").to_owned());
    request.extensions_mut().insert(tenant);
    next.run(request).await
}

fn by_tenant() -> IdempotencyLayer<Memory> {
    IdempotencyLayer::new("http", Memory::default(), |request| {
        request.extensions.get::<Tenant>().map(|tenant| tenant.0.clone())
    })
}

async fn ask_as(api: &axum::Router, tenant: &str, body: &'static str) -> RawResponse {
    let mut request = post("k");
    request.headers_mut().insert("authorization", tenant.parse().expect("a value"));
    *request.body_mut() = Body::from(body);
    ask(api, request).await
}

#[tokio::test]
async fn tenants_are_independent() {
    let (api, runs) = counting(by_tenant());
    let api = api.layer(from_fn(authenticate));
    assert_eq!(ask_as(&api, "ada", "1 EUR").await.text(), "run 1");
    // A tenant sees neither the response of another tenant nor the existence of a record.
    assert_eq!(ask_as(&api, "bob", "2 EUR").await.text(), "run 2");
    for (tenant, body, text) in [("ada", "1 EUR", "run 1"), ("bob", "2 EUR", "run 2")] {
        let again = ask_as(&api, tenant, body).await;
        assert_eq!((again.text(), again.is_replay()), (text, true));
    }
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_request_without_a_scope_is_rejected() {
    let (api, runs) = counting(by_tenant());
    let response = ask(&api, post("k")).await;
    assert_eq!((response.status, response.problem().as_deref()), (403, Some("no-scope")));
    let (empty, _) = counting(IdempotencyLayer::new("http", Memory::default(), |_| ""));
    assert_eq!(ask(&empty, post("k")).await.status, 403);
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_request_without_a_scope_is_rejected_before_its_body_is_read() {
    let (api, runs) = counting(by_tenant());
    let server = crate::server::Server::start(api).await;
    // The body never arrives.
    let head =
        b"POST /pay HTTP/1.1\r\nhost: api\r\ncontent-length: 2000000\r\nidempotency-key: k\r\n\r\n";
    let response = crate::raw_client::send(server.address, head).await;
    assert_eq!((response.status, response.problem().as_deref()), (403, Some("no-scope")));
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn a_route_layer_leaves_unknown_paths_to_the_router() {
    let runs = crate::Runs::default();
    let counted = runs.clone();
    let pay = axum::routing::post(async move || format!("run {}", counted.increment()));
    let api = axum::Router::new().route("/pay", pay).route_layer(crate::layer());
    let server = crate::server::Server::start(api).await;
    let without_key = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: api\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    let send = crate::raw_client::send;
    assert_eq!(send(server.address, without_key("/unknown").as_bytes()).await.status, 404);
    assert_eq!(send(server.address, without_key("/pay").as_bytes()).await.status, 400);
    assert_eq!(runs.count(), 0);
}

#[tokio::test]
async fn outer_layers_reject_before_a_replay() {
    let is_closed = Arc::new(AtomicBool::new(false));
    let closed = Arc::clone(&is_closed);
    let (api, runs) = counting(by_tenant());
    let api =
        api.layer(from_fn(authenticate)).layer(from_fn(move |request: Request, next: Next| {
            let closed = closed.load(SeqCst);
            async move {
                if closed {
                    StatusCode::TOO_MANY_REQUESTS.into_response()
                } else {
                    next.run(request).await
                }
            }
        }));
    assert_eq!(ask(&api, post("k")).await.status, 401);
    assert_eq!(ask_as(&api, "ada", "1 EUR").await.status, 200);
    is_closed.store(true, SeqCst);
    assert_eq!(ask_as(&api, "ada", "1 EUR").await.status, 429);
    is_closed.store(false, SeqCst);
    assert!(ask_as(&api, "ada", "1 EUR").await.is_replay());
    assert_eq!(ask(&api, post("k")).await.status, 401);
    assert_eq!(runs.count(), 1);
}
