//! `TimeoutLayer`: a limit for each attempt, or for all attempts.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use resilience::http::{CircuitBreakerLayer, RetryLayer, ServerContextLayer, TimeoutLayer};
use resilience::{CircuitBreaker, CircuitState, Rejected, RejectedKind};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, request, secs};

#[test]
fn a_limit_of_zero_breaks_the_rule_of_the_attribute() {
    for (limit, is_valid) in [(Duration::ZERO, false), (Duration::from_nanos(1), true)] {
        assert_eq!(TimeoutLayer::new(limit).validate().is_ok(), is_valid);
        assert_eq!(ServerContextLayer::new(limit).validate().is_ok(), is_valid);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_is_dropped() {
    let service = Scripted::new(&[Act::Hang, Act::Status(200)]);
    let limited = TimeoutLayer::new(secs(2)).name("api").layer(service.clone());
    let start = Instant::now();
    let error = limited.clone().oneshot(get()).await.expect_err("too long");
    let rejected: &Rejected = error.downcast_ref().expect("a rejection");
    assert_eq!((rejected.kind(), rejected.name()), (RejectedKind::TimedOut, "api"));
    assert_eq!((rejected.limit(), start.elapsed()), (Some(secs(2)), secs(2)));
    assert_eq!(limited.oneshot(get()).await.expect("a response").status(), 200);
}

#[tokio::test(start_paused = true)]
async fn below_a_retry_the_limit_applies_to_each_attempt() {
    for (method, calls, took) in [(Method::GET, 2, 2 + 1), (Method::POST, 1, 2)] {
        let service = Scripted::new(&[Act::Hang, Act::Status(200)]);
        let layers = ServiceBuilder::new().layer(RetryLayer::new(POLICY));
        let retried = layers.layer(TimeoutLayer::new(secs(2))).service(service.clone());
        let start = Instant::now();
        let result = retried.oneshot(request(method)).await;
        assert_eq!((result.is_ok(), service.calls()), (calls == 2, calls));
        assert_eq!(start.elapsed(), secs(took));
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_count_against_the_deadline() {
    let service = Scripted::new(&[Act::Hang]);
    let layers =
        ServiceBuilder::new().layer(RetryLayer::new(POLICY.unlimited().deadline(secs(10))));
    let retried = layers.layer(TimeoutLayer::new(secs(4))).service(service.clone());
    let start = Instant::now();
    assert!(retried.oneshot(get()).await.expect_err("too long").is::<Rejected>());
    assert_eq!((service.calls(), start.elapsed()), (2, secs(4 + 1 + 4)));
}

#[tokio::test(start_paused = true)]
async fn above_a_retry_the_limit_applies_to_all_attempts() {
    let service = Scripted::new(&[Act::Status(503), Act::Hang]);
    let layers = ServiceBuilder::new().layer(TimeoutLayer::new(secs(3)));
    let limited = layers.layer(RetryLayer::new(POLICY.unlimited())).service(service.clone());
    let start = Instant::now();
    assert!(limited.oneshot(get()).await.expect_err("too long").is::<Rejected>());
    assert_eq!((service.calls(), start.elapsed()), (2, secs(3)));
}

/// The retry returns the last response, in place of a delay until the limit.
#[tokio::test(start_paused = true)]
async fn above_a_retry_the_limit_is_the_deadline_of_the_retry() {
    let service = Scripted::new(&[Act::Status(503)]);
    let layers = ServiceBuilder::new().layer(TimeoutLayer::new(secs(3)));
    let limited = layers.layer(RetryLayer::new(POLICY.unlimited())).service(service.clone());
    let start = Instant::now();
    assert_eq!(limited.oneshot(get()).await.expect("a response").status(), 503);
    assert_eq!((service.calls(), start.elapsed()), (3, secs(2)));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failure_for_an_outer_breaker() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1));
    let layers = ServiceBuilder::new().layer(CircuitBreakerLayer::shared(Arc::clone(&breaker)));
    let service = Scripted::new(&[Act::Hang]);
    let guarded = layers.layer(TimeoutLayer::new(secs(2))).service(service);
    assert!(guarded.oneshot(get()).await.is_err());
    assert_eq!(breaker.state(), CircuitState::Open);
}
