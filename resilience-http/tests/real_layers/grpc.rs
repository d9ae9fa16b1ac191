//! Unary calls of `tonic` over a connection: server, channel and statuses are those of `tonic`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::uri::PathAndQuery;
use axum::routing::post as on_post;
use resilience::http::{CircuitBreakerLayer, IdempotencyKey, classify};
use resilience::idempotent::OnInterrupted;
use resilience::{
    Bulkhead, BulkheadPermit, CircuitBreaker, Effect, FailureClass, FailureKind, RateLimiter,
    Rejected, RejectedKind, rate_limit, retry, testing,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, client, server};
use tower::{BoxError, ServiceBuilder};

use crate::server::Server;
use crate::text::{Method, Text};
use crate::{Runs, layer};

/// A router with the method `pay`.
pub(crate) fn service<F, Fut>(method: F) -> Router
where
    F: Fn(Request<String>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Response<String>, Status>> + Send + 'static,
{
    let handler = async move |request: axum::extract::Request| {
        let method = Method(method);
        server::Grpc::new(Text).unary(method, request).await.map(Body::new)
    };
    Router::new().route("/shop.Payments/Pay", on_post(handler))
}

async fn connect(server: &Server) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address));
    endpoint.expect("an address").connect().await.expect("a connection")
}

async fn pay(channel: &Channel, key: Option<&IdempotencyKey>) -> Result<Response<String>, Status> {
    let mut client = client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new("10 EUR".to_owned());
    if let Some(key) = key {
        let key = key.as_str().parse().expect("a value");
        request.metadata_mut().insert("idempotency-key", key);
    }
    client.unary(request, PathAndQuery::from_static("/shop.Payments/Pay"), Text).await
}

/// Every rejection before the body of a method says so to the client, and a timeout does not.
#[tokio::test]
async fn a_status_tells_the_client_the_effect_of_a_rejection() {
    let second = Some(Duration::from_secs(1));
    for (rejected, code, class) in [
        (
            Rejected::new(RejectedKind::CircuitOpen, "pay", second),
            Code::Unavailable,
            FailureClass::transient().effect(Effect::Refused).after(Duration::from_secs(1)),
        ),
        (
            Rejected::new(RejectedKind::BulkheadFull, "pay", None),
            Code::Unavailable,
            FailureClass::transient().effect(Effect::Refused),
        ),
        (
            Rejected::new(RejectedKind::RateLimited, "pay", second),
            Code::ResourceExhausted,
            FailureClass::throttled(second).effect(Effect::Refused),
        ),
        (
            Rejected::timed_out("pay", Duration::from_secs(1)),
            Code::DeadlineExceeded,
            FailureClass::permanent(),
        ),
    ] {
        let server = Server::start(service(move |_| {
            let rejected = rejected.clone();
            async move { Err(rejected.into()) }
        }))
        .await;
        let status = pay(&connect(&server).await, None).await.expect_err("a rejection");
        assert_eq!((status.code(), classify(&status)), (code, class));
    }
}

/// The policies of a server, in place of statuses made by hand.
#[tokio::test]
async fn a_client_without_a_key_repeats_a_call_that_a_policy_of_the_server_rejected() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new();
    static BULKHEAD: Bulkhead = Bulkhead::new(1);
    static LIMITER: RateLimiter = RateLimiter::new(1, Duration::from_millis(1));
    #[retry(attempts = 5, idempotent = false, on = classify, on_retry = |_| {
        HELD.lock().expect("no panic").take();
        BREAKER.reset();
    })]
    async fn order(channel: &Channel) -> Result<Response<String>, Status> {
        pay(channel, None).await
    }
    static HELD: Mutex<Option<BulkheadPermit<'static>>> = Mutex::new(None);

    let runs = Runs::default();
    let counted = runs.clone();
    let server = Server::start(service(move |_| {
        let counted = counted.clone();
        async move {
            BREAKER.try_acquire()?.success();
            let _permit = BULKHEAD.try_acquire()?;
            LIMITER.try_acquire()?;
            Ok(Response::new(format!("run {}", counted.increment())))
        }
    }))
    .await;
    let channel = connect(&server).await;

    let _guard = testing::no_waits();
    BREAKER.force_open();
    assert_eq!(order(&channel).await.expect("a response").into_inner(), "run 1");
    *HELD.lock().expect("no panic") = Some(BULKHEAD.try_acquire().expect("a permit"));
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(order(&channel).await.expect("a response").into_inner(), "run 2");
    assert_eq!(runs.count(), 2);
}

/// An unavailable upstream of the server says nothing about the call of the client.
#[tokio::test]
async fn an_ordinary_status_proves_nothing() {
    #[retry(attempts = 5, base_delay = "1ms", idempotent = false, on = classify)]
    async fn order(channel: &Channel) -> Result<Response<String>, Status> {
        pay(channel, None).await
    }

    let runs = Runs::default();
    let counted = runs.clone();
    let server = Server::start(service(move |_| {
        counted.increment();
        async { Err(Status::unavailable("the upstream is down")) }
    }))
    .await;
    let channel = connect(&server).await;
    let status = order(&channel).await.expect_err("unavailable");
    assert_eq!((classify(&status), runs.count()), (FailureClass::transient(), 1));
}

/// An unknown value of the metadata is ignored.
#[test]
fn only_known_effects_count() {
    for (value, effect) in [
        ("refused", Effect::Refused),
        ("applied", Effect::Applied),
        ("Refused", Effect::Unknown),
        ("not_sent", Effect::Unknown),
        ("", Effect::Unknown),
    ] {
        let mut status = Status::unavailable("");
        status.metadata_mut().insert("resilience-effect", value.parse().expect("a value"));
        assert_eq!(classify(&status), FailureClass::transient().effect(effect), "{value:?}");
    }
}

#[tokio::test]
async fn a_call_with_a_key_runs_once_behind_the_idempotency_layer() {
    let runs = Runs::default();
    let counted = runs.clone();
    let routes = service(move |_| {
        let run = counted.increment();
        async move {
            match run {
                1 => Err(Status::unavailable("the first run fails")),
                _ => Ok(Response::new(format!("run {run}"))),
            }
        }
    });
    let server = Server::start(routes.layer(layer())).await;
    let channel = connect(&server).await;
    let key = IdempotencyKey::new();
    assert_eq!(pay(&channel, Some(&key)).await.expect_err("fails").code(), Code::Unavailable);
    for _ in 0..3 {
        let response = pay(&channel, Some(&key)).await.expect("a response");
        assert_eq!(response.into_inner(), "run 2");
    }
    let missing = pay(&channel, None).await.expect_err("no key");
    let class = classify(&missing);
    assert_eq!((missing.code(), class.effect), (Code::InvalidArgument, Effect::Refused));
    assert_eq!(runs.count(), 2);
}

/// A policy of the server rejects the call before the body, or after an attempt that may have been
/// applied. The layer reads the difference in the metadata of the status.
#[tokio::test]
async fn a_rejected_method_runs_again_only_if_nothing_was_applied() {
    static BANK: RateLimiter = RateLimiter::new(1, Duration::from_secs(60));

    #[retry(attempts = 3, on = |_| true, base_delay = "1ms")]
    #[rate_limit(limiter = BANK)]
    async fn charge(runs: &Runs) -> Result<String, Status> {
        runs.increment();
        Err(Status::unavailable("the answer is lost"))
    }
    let runs = Runs::default();
    let counted = runs.clone();
    let routes = service(move |_| {
        let counted = counted.clone();
        async move { charge(&counted).await.map(Response::new) }
    });
    let layer = layer().on_interrupted(OnInterrupted::Unknown);
    let server = Server::start(routes.layer(layer)).await;
    let channel = connect(&server).await;
    let [rejected, lost] =
        ["rejected-7", "lost-7"].map(|key| IdempotencyKey::try_from(key).expect("a key"));

    BANK.try_acquire().expect("a permit");
    let status = pay(&channel, Some(&rejected)).await.expect_err("no permit");
    assert_eq!(
        (status.code(), classify(&status).effect),
        (Code::ResourceExhausted, Effect::Refused)
    );
    assert_eq!(runs.count(), 0);
    for (index, key) in [&rejected, &lost].into_iter().enumerate() {
        BANK.settle(1, 0);
        let status = pay(&channel, Some(key)).await.expect_err("no second permit");
        let class = classify(&status);
        assert_eq!((status.code(), class.effect), (Code::ResourceExhausted, Effect::Unknown));
        BANK.settle(1, 0);
        let status = pay(&channel, Some(key)).await.expect_err("the outcome is unknown");
        assert_eq!((status.code(), runs.count()), (Code::Internal, index + 1));
    }

    // An open circuit is an `UNAVAILABLE`, which proves nothing without the metadata.
    let runs = Runs::default();
    let counted = runs.clone();
    let routes = service(move |_| {
        let run = counted.increment();
        async move {
            match run {
                1 => Err(Rejected::new(RejectedKind::CircuitOpen, "bank", None).into()),
                _ => Ok(Response::new(format!("run {run}"))),
            }
        }
    });
    let layer = crate::layer().on_interrupted(OnInterrupted::Unknown);
    let server = Server::start(routes.layer(layer)).await;
    let channel = connect(&server).await;
    assert_eq!(pay(&channel, Some(&lost)).await.expect_err("open").code(), Code::Unavailable);
    assert_eq!(pay(&channel, Some(&lost)).await.expect("a response").into_inner(), "run 2");
    assert_eq!(runs.count(), 2);
}

/// The client repeats a call whose first request is still running, and receives the response.
#[tokio::test]
async fn a_running_call_is_asked_for_again() {
    #[retry(attempts = 5, on = classify, on_retry = |_| finish.notify_one())]
    async fn repeated(
        channel: &Channel,
        key: &IdempotencyKey,
        finish: &tokio::sync::Notify,
    ) -> Result<Response<String>, Status> {
        pay(channel, Some(key)).await
    }

    let finish = Arc::new(tokio::sync::Notify::new());
    let (runs, finished) = (Runs::default(), Arc::clone(&finish));
    let counted = runs.clone();
    let routes = service(move |_| {
        let (run, finished) = (counted.increment(), Arc::clone(&finished));
        async move {
            finished.notified().await;
            Ok(Response::new(format!("run {run}")))
        }
    });
    let server = Server::start(routes.layer(layer())).await;
    let channel = connect(&server).await;
    let key = IdempotencyKey::new();
    let first = tokio::spawn({
        let (channel, key) = (channel.clone(), key.clone());
        async move { pay(&channel, Some(&key)).await }
    });
    while runs.count() == 0 {
        tokio::task::yield_now().await;
    }
    let running = pay(&channel, Some(&key)).await.expect_err("running");
    let class = classify(&running);
    assert_eq!((running.code(), class.kind), (Code::Aborted, FailureKind::Throttled));
    assert_eq!((class.effect, class.after.is_some()), (Effect::Refused, true));

    let repeated = repeated(&channel, &key, &finish).await.expect("the stored response");
    assert_eq!(repeated.into_inner(), "run 1");
    let first = first.await.expect("no panic").expect("a response");
    assert_eq!((first.into_inner(), runs.count()), ("run 1".to_owned(), 1));
}

/// A layer over the channel sees a response with the status 200 and the code in the headers.
#[tokio::test]
async fn a_breaker_layer_over_a_channel_counts_unavailable_calls() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(2);
    let runs = Runs::default();
    let handled = runs.clone();
    let server =
        Server::start(service(move |_| {
            let run = handled.increment();
            async move {
                Err(if run == 1 { Status::not_found("no") } else { Status::unavailable("down") })
            }
        }))
        .await;
    let channel = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(&BREAKER))
        .map_err(BoxError::from)
        .service(connect(&server).await);
    let call = async || {
        let mut client = client::Grpc::new(channel.clone());
        client.ready().await.expect("a ready channel");
        let path = PathAndQuery::from_static("/shop.Payments/Pay");
        let out: Result<Response<String>, Status> =
            client.unary(Request::new("10 EUR".to_owned()), path, Text).await;
        out.expect_err("every call fails")
    };
    for code in [Code::NotFound, Code::Unavailable, Code::Unavailable] {
        assert_eq!(call().await.code(), code);
    }
    let rejected = classify(&call().await);
    assert_eq!((rejected.effect, runs.count()), (Effect::NotSent, 3));
}
