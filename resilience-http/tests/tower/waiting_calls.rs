//! `RetryLayer` above layers that reject: the order of the calls that wait, and the failure that
//! opens a circuit.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use resilience::http::{
    BulkheadLayer, CircuitBreakerLayer, RateLimitLayer, RetryLayer, TimeoutLayer,
};
use resilience::{Bulkhead, CircuitBreaker, RateLimiter, Rejected, RejectedKind, RetryPolicy};
use tokio::time::{Instant, sleep};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, secs};

const PATIENT: RetryPolicy = RetryPolicy::new().attempts(1).wait_for_rejections(true);

type Req = Request<usize>;
type Starts = Arc<Mutex<Vec<(usize, u128)>>>;

/// A service that records the callers with the times of their calls in milliseconds.
fn recorder(
    starts: &Starts,
    time: Duration,
) -> impl Service<Req, Response = Response<()>, Error = BoxError, Future: Send> + Clone + Send + 'static
{
    let (starts, start) = (Arc::clone(starts), Instant::now());
    service_fn(move |request: Req| {
        starts.lock().unwrap().push((*request.body(), start.elapsed().as_millis()));
        async move {
            sleep(time).await;
            Ok(Response::new(()))
        }
    })
}

/// Calls the service from tasks that start one after another.
async fn call_all<S>(callers: usize, service: S)
where
    S: Service<Req, Response = Response<()>, Error = BoxError, Future: Send>,
    S: Clone + Send + 'static,
{
    let mut calls = Vec::new();
    for caller in 0..callers {
        let request = Request::get("http://api.example/").body(caller).unwrap();
        calls.push(tokio::spawn(service.clone().oneshot(request)));
        tokio::task::yield_now().await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

fn one_by_one(callers: usize, apart: u128) -> Vec<(usize, u128)> {
    (0..callers).map(|caller| (caller, caller as u128 * apart)).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_rate_limit_layer_are_served_in_the_order_of_arrival() {
    static LIMITER: RateLimiter = RateLimiter::new(10, secs(1));
    let starts = Starts::default();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(PATIENT))
        .layer(RateLimitLayer::new(&LIMITER))
        .service(recorder(&starts, Duration::ZERO));
    call_all(20, service).await;
    assert_eq!(*starts.lock().unwrap(), one_by_one(20, 100));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_below_a_timeout_layer_are_served_in_the_order_of_arrival() {
    static LIMITER: RateLimiter = RateLimiter::new(10, secs(1));
    static BREAKER: CircuitBreaker = CircuitBreaker::new().failure_threshold(1);
    let starts = Starts::default();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(PATIENT))
        .layer(CircuitBreakerLayer::new(&BREAKER))
        .layer(TimeoutLayer::new(Duration::from_millis(50)))
        .layer(RateLimitLayer::new(&LIMITER))
        .service(recorder(&starts, Duration::from_millis(40)));
    call_all(20, service).await;
    assert_eq!(*starts.lock().unwrap(), one_by_one(20, 100));
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_bulkhead_layer_are_served_in_the_order_of_arrival() {
    let bulkhead = Arc::new(Bulkhead::new(1));
    let starts = Starts::default();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(PATIENT))
        .layer(BulkheadLayer::shared(bulkhead))
        .service(recorder(&starts, Duration::from_millis(150)));
    call_all(20, service).await;
    assert_eq!(*starts.lock().unwrap(), one_by_one(20, 150));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_max_retry_after() {
    static LIMITER: RateLimiter = RateLimiter::new(1, secs(1));
    let policy = PATIENT.max_retry_after(secs(3));
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy))
        .layer(RateLimitLayer::new(&LIMITER))
        .service(Scripted::new(&[Act::Status(200)]));
    let mut calls = Vec::new();
    for _ in 0..6 {
        calls.push(tokio::spawn(service.clone().oneshot(get())));
        tokio::task::yield_now().await;
    }
    let mut served = Vec::new();
    for call in calls {
        served.push(call.await.unwrap().is_ok());
    }
    assert_eq!(served, [true, true, true, true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn without_a_retry_that_waits_a_call_above_the_rate_is_rejected_at_once() {
    static LIMITER: RateLimiter = RateLimiter::new(1, secs(1));
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(POLICY))
        .layer(RateLimitLayer::new(&LIMITER))
        .service(Scripted::new(&[Act::Status(200)]));
    let start = Instant::now();
    assert!(service.clone().oneshot(get()).await.is_ok());
    assert_eq!(kind_of(service.oneshot(get()).await), Some(RejectedKind::RateLimited));
    assert_eq!(start.elapsed(), secs(0));
}

fn kind_of<T>(result: Result<T, BoxError>) -> Option<RejectedKind> {
    result.err()?.downcast_ref::<Rejected>().map(Rejected::kind)
}

/// Runs a call over a breaker, and returns the outcome with the calls and the elapsed time.
async fn over_breaker(
    policy: RetryPolicy,
    breaker: Arc<CircuitBreaker>,
    acts: &[Act],
) -> (Result<u16, Option<RejectedKind>>, usize, Duration) {
    let service = Scripted::new(acts);
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new(policy))
        .layer(CircuitBreakerLayer::shared(breaker))
        .service(service.clone());
    let start = Instant::now();
    let out = stack.oneshot(get()).await;
    let out = out.map(|response| response.status().as_u16()).map_err(|error| {
        let error: Result<(), BoxError> = Err(error);
        kind_of(error)
    });
    (out, service.calls(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_response_that_opens_the_circuit_is_returned_without_a_delay() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(2).name("api"));
    let out = over_breaker(POLICY.attempts(5), breaker, &[Act::Status(503)]).await;
    // The delay of one second passes before the second attempt, which opens the circuit.
    assert_eq!(out, (Ok(503), 2, secs(1)));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_opens_the_circuit_is_returned_in_place_of_the_rejection() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1));
    let refused = [Act::Fail(std::io::ErrorKind::ConnectionRefused)];
    let out = over_breaker(POLICY.attempts(5), breaker, &refused).await;
    assert_eq!(out, (Err(None), 1, secs(0)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_waits_for_rejections_waits_until_the_circuit_admits_a_trial_call() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1).reset_timeout(secs(30)));
    let policy = POLICY.wait_for_rejections(true);
    let (out, calls, time) =
        over_breaker(policy, breaker, &[Act::Status(503), Act::Status(200)]).await;
    assert_eq!((out, calls), (Ok(200), 2));
    assert!((secs(30)..=secs(34)).contains(&time), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_circuit_a_short_open_time_and_a_shadow_do_not_end_the_retry() {
    for breaker in [
        CircuitBreaker::new().failure_threshold(9),
        CircuitBreaker::new().failure_threshold(1).reset_timeout(Duration::from_millis(500)),
        CircuitBreaker::new().failure_threshold(1).shadow(),
    ] {
        let acts = [Act::Status(503), Act::Status(503), Act::Status(200)];
        let (out, calls, _) = over_breaker(POLICY, Arc::new(breaker), &acts).await;
        assert_eq!((out, calls), (Ok(200), 3));
    }
}
