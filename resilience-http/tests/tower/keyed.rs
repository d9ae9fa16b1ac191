//! Layers with a policy for each request, shared with functions.

use std::future::pending;
use std::sync::Arc;

use http::Request;
use resilience::http::{BulkheadLayer, CircuitBreakerLayer, RateLimitLayer};
use resilience::{
    Bulkhead, CircuitBreaker, CircuitState, Keyed, RateLimiter, Rejected, RejectedKind, bulkhead,
    circuit_breaker, rate_limit,
};
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

use crate::mocks::{is_pending, kind, pair, soon};
use crate::scripted::{Act, Scripted};
use crate::secs;

type Req = Request<String>;

fn from(client: &str) -> Req {
    let request = Request::get("http://api.example/").header("x-client", client);
    request.body(String::new()).unwrap()
}

fn client(request: &Req) -> &str {
    request.headers()["x-client"].to_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn functions_and_a_layer_share_the_limit_of_a_key() {
    static LIMITS: Keyed<RateLimiter> =
        Keyed::new(100, || RateLimiter::new(2, secs(60)).burst(2).name("api"));
    #[rate_limit(limiter = LIMITS.get(client))]
    fn export(client: &str) -> Result<(), Rejected> {
        Ok(())
    }
    let layer = RateLimitLayer::keyed(|request: &Req| {
        let client = client(request);
        LIMITS.get_with(client, |limiter| limiter.key_label(client))
    });
    let service = layer.layer(Scripted::new(&[Act::Status(200)]));
    assert!(service.clone().oneshot(from("ann")).await.is_ok());
    assert!(export("ann").is_ok());
    let error = service.clone().oneshot(from("ann")).await.unwrap_err();
    let rejected = error.downcast_ref::<Rejected>().unwrap();
    assert_eq!((rejected.name(), rejected.key()), ("api", Some("ann")));
    assert_eq!(export("ann").map_err(|it| it.kind()), Err(RejectedKind::RateLimited));
    assert!(service.oneshot(from("bob")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_layer_for_one_client_takes_the_limiter_of_a_table() {
    let limits: Keyed<RateLimiter> = Keyed::with(100, || RateLimiter::new(1, secs(60)));
    let ann = RateLimitLayer::shared(limits.get("ann")).layer(Scripted::new(&[Act::Status(200)]));
    assert!(ann.clone().oneshot(from("ann")).await.is_ok());
    assert_eq!(kind(ann.oneshot(from("ann")).await), Some(RejectedKind::RateLimited));
    assert!(limits.get("bob").try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn two_layers_and_a_function_share_the_bulkhead_of_a_key() {
    #[bulkhead(bulkhead = slots.get(client))]
    async fn upload(slots: &Keyed<Bulkhead>, client: &str) -> Result<(), Rejected> {
        pending().await
    }
    let slots: Arc<Keyed<Bulkhead>> = Arc::new(Keyed::with(100, || Bulkhead::new(1)));
    let layer = || {
        let slots = Arc::clone(&slots);
        BulkheadLayer::keyed(move |request: &Req| slots.get(client(request)))
    };
    let (hangs, answers) = (Scripted::new(&[Act::Hang]), Scripted::new(&[Act::Status(200)]));
    let running = tokio::spawn(layer().layer(hangs).oneshot(from("ann")));
    tokio::task::yield_now().await;
    let other = layer().layer(answers);
    let full = Some(RejectedKind::BulkheadFull);
    assert_eq!(kind(other.clone().oneshot(from("ann")).await), full);
    assert_eq!(upload(&slots, "ann").await.map_err(|it| it.kind()).err(), full);
    assert!(other.clone().oneshot(from("bob")).await.is_ok());
    running.abort();
    assert!(running.await.is_err());
    assert!(other.oneshot(from("ann")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_failing_function_opens_the_circuit_of_its_key_for_a_layer() {
    static BREAKERS: Keyed<CircuitBreaker> =
        Keyed::new(100, || CircuitBreaker::new().failure_threshold(1).name("hosts"));
    #[circuit_breaker(breaker = BREAKERS.get(client))]
    fn resolve(client: &str) -> Result<(), Rejected> {
        Err(Rejected::timed_out("dns", secs(1)))
    }
    let layer = CircuitBreakerLayer::keyed(|request: &Req| BREAKERS.get(client(request)));
    let service = layer.layer(Scripted::new(&[Act::Status(503)]));
    assert!(resolve("down").is_err());
    let open = Some(RejectedKind::CircuitOpen);
    assert_eq!(kind(service.clone().oneshot(from("down")).await), open);
    assert_eq!(service.clone().oneshot(from("up")).await.unwrap().status(), 503);
    assert_eq!(BREAKERS.get("up").state(), CircuitState::Open);
    assert_eq!(resolve("up").map_err(|it| it.kind()).err(), open);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_of_a_key_does_not_wait_for_the_service() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let limits: Keyed<RateLimiter> = Keyed::with(100, || RateLimiter::new(1, secs(60)));
    limits.get("ann").try_acquire().unwrap();
    let breakers: Keyed<CircuitBreaker> = Keyed::with(100, CircuitBreaker::new);
    breakers.get("ann").trip();
    let slots: Keyed<Bulkhead> = Keyed::with(100, || Bulkhead::new(1));
    let slot = slots.get("ann");
    let _taken = slot.try_acquire().unwrap();
    let mut limited =
        RateLimitLayer::keyed(move |request: &Req| limits.get(client(request))).layer(mock.clone());
    let rejected = soon(async { limited.ready().await?.call(from("ann")).await }).await;
    assert_eq!(kind(rejected), Some(RejectedKind::RateLimited));
    assert!(is_pending(async { limited.ready().await.unwrap().call(from("bob")).await }).await);
    let mut full =
        BulkheadLayer::keyed(move |request: &Req| slots.get(client(request))).layer(mock.clone());
    let rejected = soon(async { full.ready().await?.call(from("ann")).await }).await;
    assert_eq!(kind(rejected), Some(RejectedKind::BulkheadFull));
    let layer = CircuitBreakerLayer::keyed(move |request: &Req| breakers.get(client(request)));
    let mut open = layer.layer(mock);
    let rejected = soon(async { open.ready().await?.call(from("ann")).await }).await;
    assert_eq!(kind(rejected), Some(RejectedKind::CircuitOpen));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_of_a_key_holds_nothing_of_the_service() {
    let limits: Keyed<RateLimiter> = Keyed::with(100, || RateLimiter::new(1, secs(60)));
    limits.get("ann").try_acquire().unwrap();
    let inner = ConcurrencyLimit::new(Scripted::new(&[Act::Status(200)]), 1);
    let layer = RateLimitLayer::keyed(move |request: &Req| limits.get(client(request)));
    let mut service = layer.layer(inner.clone());
    let rejected = service.ready().await.unwrap().call(from("ann")).await;
    assert_eq!(kind(rejected), Some(RejectedKind::RateLimited));
    assert!(soon(inner.oneshot(from("bob"))).await.is_ok());
}
