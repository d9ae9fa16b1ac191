//! Routers of `axum` that share one layer: nested, merged, and chosen by host.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::routing::post;
use tower::{ServiceExt, service_fn};

use crate::{Memory, Runs, ask, layer};

fn request(path: &str) -> Request<Body> {
    let request = Request::post(path).header("idempotency-key", "k").body(Body::from("10 EUR"));
    request.expect("a request")
}

/// A router whose response is the number of the run, with a clone of the layer.
fn mounted(shared: &resilience::http::IdempotencyLayer<Memory>, runs: &Runs) -> Router {
    let counted = runs.clone();
    let handler = async move || format!("run {}", counted.increment());
    Router::new().route("/a", post(handler.clone())).fallback(handler).layer(shared.clone())
}

/// Sends a request to each path, and each request again. The first path has the key, and every
/// other path is a different request.
async fn only_the_first_path_runs<const N: usize>(api: &Router, runs: &Runs, paths: [&str; N]) {
    for (index, path) in paths.into_iter().enumerate() {
        for repeated in [false, true] {
            let response = ask(api, request(path)).await;
            let problem = response.problem();
            let seen = (response.status, response.is_replay(), problem.as_deref());
            let expected = match (index, repeated) {
                (0, false) => (200, false, None),
                (0, true) => (200, true, None),
                _ => (422, false, Some("key-reused")),
            };
            assert_eq!(seen, expected, "{path}");
        }
    }
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn nested_routers_share_no_response() {
    let (shared, runs) = (layer(), Runs::default());
    let api = Router::new()
        .nest("/v1", mounted(&shared, &runs))
        .nest("/v2", mounted(&shared, &runs))
        .nest("/deep/{tenant}", Router::new().nest("/v1", mounted(&shared, &runs)))
        .nest_service("/service", mounted(&shared, &runs))
        .merge(mounted(&shared, &runs));
    let paths =
        ["/v1/a", "/v2/a", "/deep/x/v1/a", "/deep/y/v1/a", "/service/a", "/a", "/v1/b", "/v1/A"];
    only_the_first_path_runs(&api, &runs, paths).await;
}

#[tokio::test]
async fn fallbacks_of_nested_routers_share_no_response() {
    let (shared, runs) = (layer(), Runs::default());
    let api = Router::new()
        .nest("/v1", mounted(&shared, &runs))
        .nest("/v2", mounted(&shared, &runs))
        .fallback_service(mounted(&shared, &runs));
    let paths = ["/v1/none", "/v2/none", "/none", "/v1", "/v1/none/"];
    only_the_first_path_runs(&api, &runs, paths).await;
}

/// A layer around the outer router sees the same request as a layer inside.
#[tokio::test]
async fn a_layer_outside_of_nested_routers_sees_the_whole_path() {
    let runs = Runs::default();
    let counted = runs.clone();
    let inner = Router::new().route("/a", post(async move || counted.increment().to_string()));
    let api = Router::new().nest("/v1", inner.clone()).nest("/v2", inner).layer(layer());
    only_the_first_path_runs(&api, &runs, ["/v1/a", "/v2/a"]).await;
}

/// A service between the routers that maps several requests to one outer path.
#[tokio::test]
async fn the_path_of_the_handler_counts_beside_the_path_of_the_client() {
    let (shared, runs) = (layer(), Runs::default());
    let inner = mounted(&shared, &runs);
    let dispatch = service_fn(move |mut request: axum::extract::Request| {
        let path = request.headers()["x-method"].to_str().expect("text");
        *request.uri_mut() = path.parse().expect("a path");
        inner.clone().oneshot(request)
    });
    let api = Router::new().route_service("/rpc", dispatch);
    let call = async |method: &'static str| {
        let mut request = request("/rpc");
        request.headers_mut().insert("x-method", HeaderValue::from_static(method));
        ask(&api, request).await
    };
    assert_eq!(call("/a").await.text(), "run 1");
    assert!(call("/a").await.is_replay());
    assert_eq!(call("/b").await.status, 422);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn routers_chosen_by_host_share_no_response() {
    let (shared, runs) = (layer(), Runs::default());
    let (acme, globex) = (mounted(&shared, &runs), mounted(&shared, &runs));
    let api =
        Router::new().fallback_service(service_fn(move |request: axum::extract::Request| {
            let is_acme = request.headers().get("host").is_some_and(|host| host == "acme.example");
            let router = if is_acme { acme.clone() } else { globex.clone() };
            async move {
                Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|e| match e {}))
            }
        }));
    let call = async |host: &'static str| {
        let mut request = request("/a");
        request.headers_mut().insert("host", HeaderValue::from_static(host));
        ask(&api, request).await
    };
    assert_eq!(call("acme.example").await.text(), "run 1");
    assert!(call("ACME.example:80").await.is_replay());
    assert_eq!(call("globex.example").await.problem().as_deref(), Some("key-reused"));
    assert_eq!(runs.count(), 1);
}
