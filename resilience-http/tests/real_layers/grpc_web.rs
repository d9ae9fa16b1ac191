//! `tonic-web` inside and outside of the idempotency layer.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use resilience::idempotent::OnInterrupted;
use tonic::{Response, Status};
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt, service_fn};

use crate::grpc::service;
use crate::server::Server;
use crate::{Runs, layer};

const TYPES: [&str; 4] = [
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

/// A message in the form of the content type.
fn message(content_type: &str) -> Vec<u8> {
    let frame = b"\0\0\0\0\x0610 EUR";
    if content_type.contains("-text") { b"AAAAAAYxMCBFVVI=".to_vec() } else { frame.to_vec() }
}

/// A router below `tonic-web`.
fn web(routes: Router) -> Router {
    let web = GrpcWebLayer::new().layer(routes.into_service::<tonic::body::Body>());
    let web = service_fn(move |request: Request<Body>| {
        let web = web.clone();
        async move { web.oneshot(request).await.map(|response| response.map(Body::new)) }
    });
    Router::new().fallback_service(web)
}

/// Returns whether the responses to three equal calls are replays, and the number of runs.
async fn three_calls(
    content_type: &str,
    is_outside: bool,
    mode: OnInterrupted,
    fails: bool,
) -> ([Option<bool>; 3], usize) {
    let runs = Runs::default();
    let counted = runs.clone();
    let routes = service(move |request| {
        let run = counted.increment();
        async move {
            assert_eq!(request.into_inner(), "10 EUR");
            if fails {
                Err(Status::unavailable("down"))
            } else {
                Ok(Response::new(format!("run {run}")))
            }
        }
    });
    let idempotency = layer().on_interrupted(mode);
    let api =
        if is_outside { web(routes.layer(idempotency)) } else { web(routes).layer(idempotency) };
    let server = Server::start(api).await;
    let client = reqwest::Client::new();
    let url = format!("http://{}/shop.Payments/Pay", server.address);
    let mut seen = [None; 3];
    let mut bodies = Vec::new();
    for seen in &mut seen {
        let call = client.post(&url).header("content-type", content_type);
        let call = call.header("idempotency-key", "k").body(message(content_type));
        let response = call.send().await.expect("a response");
        assert_eq!(response.status(), 200);
        *seen = Some(response.headers().contains_key("idempotent-replayed"));
        bodies.push(response.bytes().await.expect("a body"));
    }
    if !fails {
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    }
    (seen, runs.count())
}

#[tokio::test]
async fn a_successful_call_runs_once() {
    for content_type in TYPES {
        for is_outside in [true, false] {
            let (replays, runs) =
                three_calls(content_type, is_outside, OnInterrupted::Rerun, false).await;
            assert_eq!(replays, [Some(false), Some(true), Some(true)], "{content_type}");
            assert_eq!(runs, 1);
        }
    }
}

#[tokio::test]
async fn a_failed_call_runs_as_the_mode_says() {
    for content_type in TYPES {
        for is_outside in [true, false] {
            for (mode, expected) in [(OnInterrupted::Rerun, 3), (OnInterrupted::Unknown, 1)] {
                let (replays, runs) = three_calls(content_type, is_outside, mode, true).await;
                assert_eq!(replays, [Some(false); 3], "{content_type}");
                assert_eq!(runs, expected, "{content_type} {is_outside} {mode:?}");
            }
        }
    }
}
