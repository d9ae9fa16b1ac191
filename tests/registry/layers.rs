//! The layers of `tower`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use resilience::http::{
    BulkheadLayer, CircuitBreakerLayer, FallbackLayer, RateLimitLayer, RetryLayer, TimeoutLayer,
};
use resilience::{Bulkhead, CircuitBreaker, RateLimiter, RetryPolicy, policies, policies_matching};
use tower::{Layer as _, ServiceBuilder, ServiceExt as _, service_fn};

use crate::policy;

#[tokio::test(start_paused = true)]
async fn the_policies_of_layers_are_listed_and_count() {
    static BREAKER: CircuitBreaker =
        CircuitBreaker::new().failure_threshold(9).name("layers::breaker");
    let _ = policies();
    let bulkhead = Arc::new(Bulkhead::new(2).name("layers::bulkhead"));
    let limiter = RateLimiter::new(10, Duration::from_secs(1)).burst(10).name("layers::limiter");
    let limiter = Arc::new(limiter);
    let service = ServiceBuilder::new()
        .layer(
            FallbackLayer::new(|_failed| std::future::ready(Ok(Response::new("spare"))))
                .name("layers::fallback"),
        )
        .layer(RetryLayer::new(RetryPolicy::new().attempts(3).name("layers::retry")))
        .layer(CircuitBreakerLayer::new(&BREAKER))
        .layer(RateLimitLayer::shared(Arc::clone(&limiter)))
        .layer(BulkheadLayer::shared(Arc::clone(&bulkhead)))
        .layer(TimeoutLayer::new(Duration::from_secs(1)).name("layers::timeout"))
        .service(service_fn(|request: Request<()>| async move {
            let status = if request.uri().path() == "/down" { 503 } else { 200 };
            Ok::<_, Infallible>(
                Response::builder().status(status).body("body").expect("a response"),
            )
        }));
    for path in ["/up", "/down"] {
        let request = Request::get(path).body(()).expect("a request");
        let response = service.clone().oneshot(request).await.expect("a response");
        assert_eq!(response.into_body(), "body");
    }
    let count = |name: &str, outcome: &str| policy(name).count("resilience.calls", &[outcome]);
    assert_eq!((count("layers::retry", "success"), count("layers::retry", "failure")), (1, 1));
    assert_eq!((count("layers::breaker", "success"), count("layers::breaker", "failure")), (1, 3));
    assert_eq!(count("layers::limiter", "admitted"), 4);
    assert_eq!(count("layers::bulkhead", "admitted"), 4);
    assert_eq!(count("layers::timeout", "success"), 4);
    assert_eq!(policy("layers::timeout").setting("limit"), Some("1s"));
    assert_eq!(count("layers::fallback", "success"), 2);
    assert_eq!(policy("layers::bulkhead").gauge("resilience.bulkhead.limit"), Some(2));
    assert!(policy("layers::limiter").gauge("resilience.rate_limit.available").is_some());
}

#[tokio::test(start_paused = true)]
async fn layers_of_one_place_and_name_are_one_policy_with_the_first_limit() {
    let call = async |seconds: u64| {
        let layer = TimeoutLayer::new(Duration::from_secs(seconds)).name("layers::limits");
        let service =
            layer.layer(service_fn(async |(): ()| Ok::<_, Infallible>(Response::new(""))));
        service.oneshot(()).await.expect("a response");
    };
    let _ = policies();
    for seconds in [1, 2, 1, 1] {
        call(seconds).await;
    }
    let counts: Vec<_> = policies_matching("layers::limits")
        .iter()
        .map(|report| {
            let count = report.count("resilience.calls", &["success"]);
            (report.setting("limit").map(str::to_owned), count)
        })
        .collect();
    assert_eq!(counts, [(Some("1s".to_owned()), 4)]);
}
