//! `buffer`, `load_shed` and `concurrency_limit` of `tower` around and below the layers.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use resilience::http::{BulkheadLayer, IdempotencyLayer};
use resilience::idempotent::OnInterrupted;
use resilience::{Bulkhead, Rejected};
use tokio::sync::Notify;
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::load_shed::error::Overloaded;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt};

use crate::{Memory, Runs, is_replay, layer, post};

type Api = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

/// The progress of the request with the key `slow`.
#[derive(Clone, Default)]
struct Slow {
    started: Arc<Notify>,
    finish: Arc<Notify>,
}

fn routes(runs: &Runs, slow: &Slow) -> Router {
    let (runs, slow) = (runs.clone(), slow.clone());
    let handler = async move |request: Request<Body>| {
        if request.headers()["idempotency-key"] == "slow" {
            slow.started.notify_one();
            slow.finish.notified().await;
        }
        (StatusCode::CREATED, format!("run {}", runs.increment()))
    };
    Router::new().fallback(handler)
}

fn boxed<S, R>(service: S) -> Api
where
    S: tower::Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let service = service.map_response(|response: Response<R>| response.map(Body::new));
    BoxCloneSyncService::new(service.map_err(Into::into))
}

async fn ask(api: &Api, key: &str) -> Result<(u16, bool), BoxError> {
    let response = api.clone().oneshot(post(key)).await?;
    Ok((response.status().as_u16(), is_replay(&response)))
}

#[tokio::test]
async fn a_request_through_buffers_runs_once() {
    for is_outside in [true, false] {
        let runs = Runs::default();
        let routes = routes(&runs, &Slow::default());
        let api = if is_outside {
            boxed(ServiceBuilder::new().layer(BufferLayer::new(4)).layer(layer()).service(routes))
        } else {
            let buffered = ServiceBuilder::new().layer(BufferLayer::new(4)).service(routes);
            boxed(layer().layer(buffered))
        };
        assert_eq!(ask(&api, "k").await.expect("a response"), (201, false));
        assert_eq!(ask(&api, "k").await.expect("a response"), (201, true));
        assert_eq!(runs.count(), 1);
    }
}

/// A request that a limit below the layer rejects gives its key back, in both modes.
async fn a_rejected_request_gives_its_key_back<E: std::error::Error + 'static>(
    limited: impl Fn(IdempotencyLayer<Memory>, Router) -> Api,
) {
    for mode in [OnInterrupted::Rerun, OnInterrupted::Unknown] {
        let (runs, slow) = (Runs::default(), Slow::default());
        let api = limited(layer().on_interrupted(mode), routes(&runs, &slow));
        let running = tokio::spawn({
            let api = api.clone();
            async move { ask(&api, "slow").await.map_err(|error| error.to_string()) }
        });
        slow.started.notified().await;
        let error = ask(&api, "k").await.expect_err("the limit is reached");
        assert!(error.is::<E>(), "{error}");
        slow.finish.notify_one();
        assert_eq!(running.await.expect("no panic"), Ok((201, false)));
        assert_eq!(ask(&api, "k").await.expect("a response"), (201, false), "{mode:?}");
        assert_eq!(ask(&api, "k").await.expect("a response"), (201, true));
        assert_eq!(runs.count(), 2);
    }
}

#[tokio::test]
async fn load_shed_below_the_layer_gives_the_key_back() {
    a_rejected_request_gives_its_key_back::<Overloaded>(|layer, routes| {
        let limited = ServiceBuilder::new()
            .layer(LoadShedLayer::new())
            .layer(ConcurrencyLimitLayer::new(1))
            .service(routes);
        boxed(layer.layer(limited))
    })
    .await;
}

#[tokio::test]
async fn a_full_bulkhead_below_the_layer_gives_the_key_back() {
    a_rejected_request_gives_its_key_back::<Rejected>(|layer, routes| {
        let bulkhead = BulkheadLayer::shared(Arc::new(Bulkhead::new(1)));
        boxed(layer.layer(bulkhead.layer(routes)))
    })
    .await;
}

#[tokio::test]
async fn load_shed_around_the_layer_claims_no_key() {
    a_rejected_request_gives_its_key_back::<Overloaded>(|layer, routes| {
        let limited = ServiceBuilder::new()
            .layer(LoadShedLayer::new())
            .layer(ConcurrencyLimitLayer::new(1))
            .layer(layer)
            .service(routes);
        boxed(limited)
    })
    .await;
}
