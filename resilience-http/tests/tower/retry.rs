//! `RetryLayer`: retried outcomes, delays, and the end of a call.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, ready};
use std::io::ErrorKind::{self, ConnectionRefused, ConnectionReset};
use std::task::{Context, Waker};
use std::time::Duration;

use http::{Method, Request, Response};
use resilience::http::{Classifier, HttpError, RetryLayer};
use resilience::{FailureClass, Rejected, RejectedKind, RetryBudget, RetryPolicy, testing};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, post, request, secs};

#[tokio::test]
async fn the_method_and_the_failure_decide() {
    use Act::{After, Fail, Status};
    let _guard = testing::no_waits();
    let scripts = [
        // the act, and the calls for GET, for POST, for POST with a key
        (Status(500), 3, 1, 3),
        (Status(503), 3, 1, 3),
        (After(503, "1"), 3, 1, 3),
        (Status(429), 3, 3, 3),
        (Status(522), 3, 3, 3),
        (Status(404), 1, 1, 1),
        (Status(501), 1, 1, 1),
        (After(409, "1"), 1, 1, 3), // with a key: the first request still runs
        (Status(409), 1, 1, 3),
        (Fail(ConnectionRefused), 3, 3, 3),
        (Fail(ConnectionReset), 3, 1, 3),
        (Fail(ErrorKind::PermissionDenied), 1, 1, 1),
    ];
    for (act, of_get, of_post, of_keyed) in scripts {
        let mut keyed = post();
        keyed.headers_mut().insert("idempotency-key", "order-7".try_into().expect("a value"));
        for (request, calls) in [(get(), of_get), (post(), of_post), (keyed, of_keyed)] {
            let service = Scripted::new(&[act]);
            let shown = format!("{act:?} {request:?}");
            let _ = RetryLayer::new(POLICY).layer(service.clone()).oneshot(request).await;
            assert_eq!(service.calls(), calls, "{shown}");
        }
    }
}

#[tokio::test]
async fn every_attempt_sends_an_equal_request() {
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(503)]);
    let mut request = request(Method::PUT);
    request.headers_mut().insert("x-mark", "7".try_into().expect("a value"));
    let response = RetryLayer::new(POLICY).layer(service.clone()).oneshot(request).await;
    assert_eq!(response.expect("a response").status(), 503);
    assert_eq!(service.headers("x-mark"), vec![Some("7".to_owned()); 3]);
    assert_eq!(service.bodies(), ["{}"; 3]);
}

#[tokio::test(start_paused = true)]
async fn the_server_or_the_policy_sets_the_delay() {
    let service = Scripted::new(&[Act::After(503, "7"), Act::Status(500), Act::Status(200)]);
    let start = Instant::now();
    let response = RetryLayer::new(POLICY).layer(service.clone()).oneshot(get()).await;
    assert_eq!(response.expect("a response").status(), 200);
    assert_eq!(start.elapsed(), secs(7 + 1));
    assert_eq!(service.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn now_is_sooner_than_an_unreadable_delay() {
    for (draw, after, millis) in [
        // The base of 100 ms and its double, and at least half of each delay.
        (0.0, "0", 50 + 100),
        (0.5, "0", 75 + 150),
        (0.5, "Tue, 15 Nov 1994 08:12:31 GMT", 75 + 150),
        // The server asks for an unknown delay: the base of a throttled failure, one second.
        (0.5, "-1", 500 + 1000),
        (0.5, "soon", 500 + 1000),
    ] {
        let _draws = testing::draws([draw]);
        for status in [429, 503] {
            let service = Scripted::new(&[Act::After(status, after)]);
            let start = Instant::now();
            let _ = RetryLayer::new(RetryPolicy::new()).layer(service.clone()).oneshot(get()).await;
            assert_eq!(service.calls(), 3);
            assert_eq!(start.elapsed(), Duration::from_millis(millis), "{draw} {status} {after}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_delay_above_the_limits_ends_the_call() {
    let deadline = POLICY.attempts(100).deadline(secs(10));
    for (policy, after) in
        [(POLICY, "61"), (POLICY.max_retry_after(secs(5)), "6"), (deadline, "20")]
    {
        let service = Scripted::new(&[Act::After(503, after)]);
        let start = Instant::now();
        let response = RetryLayer::new(policy).layer(service.clone()).oneshot(get()).await;
        let response = response.expect("a response");
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], after);
        assert_eq!((service.live_bodies(), service.calls()), (1, 1));
        assert_eq!(start.elapsed(), secs(0));
    }
    let service = Scripted::new(&[Act::Status(500)]);
    let start = Instant::now();
    let _ = RetryLayer::new(deadline).layer(service.clone()).oneshot(get()).await;
    assert_eq!((service.calls(), start.elapsed()), (10, secs(9)));
}

#[tokio::test(start_paused = true)]
async fn the_classifier_of_the_layer_decides() {
    let rules = Classifier::new().strict_429(true);
    let service = Scripted::new(&[Act::Status(429)]);
    let layer = RetryLayer::new(POLICY).classifier(rules);
    let _ = layer.layer(service.clone()).oneshot(post()).await;
    assert_eq!(service.calls(), 1);
    let _ = layer.idempotent(true).layer(service.clone()).oneshot(post()).await;
    assert_eq!(service.calls(), 1 + 3);
}

#[tokio::test]
async fn a_budget_is_shared_by_all_calls() {
    static BUDGET: RetryBudget = RetryBudget::bucket(2);
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(500)]);
    let retrying = RetryLayer::new(POLICY.budget(&BUDGET)).layer(service.clone());
    for _ in 0..3 {
        let _ = retrying.clone().oneshot(get()).await;
    }
    assert_eq!(service.calls(), 3 + 2);
}

#[tokio::test]
async fn a_final_response_refunds_the_retry() {
    static BUDGET: RetryBudget = RetryBudget::new().capacity(100);
    let _guard = testing::no_waits();
    for (last, expected) in [(Act::Status(404), 100), (Act::Status(503), 100 - 2 * 14)] {
        let service = Scripted::new(&[Act::Status(503), last]);
        let layer = RetryLayer::new(POLICY.budget(&BUDGET));
        assert!(layer.layer(service).oneshot(get()).await.is_ok());
        assert_eq!(BUDGET.tokens(), expected);
    }
}

#[test]
fn a_retry_that_never_starts_is_refunded() {
    static BUDGET: RetryBudget = RetryBudget::bucket(1);
    let _guard = testing::no_waits();
    let service = Scripted::new(&[Act::Status(500)]);
    let retrying = RetryLayer::new(POLICY.budget(&BUDGET)).layer(service.clone());
    let mut call = Box::pin(retrying.oneshot(get()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending()); // the delay after a failure
    service.delay_readiness(1000);
    assert!(call.as_mut().poll(&mut context).is_pending()); // the service is not ready
    assert_eq!((service.calls(), BUDGET.tokens()), (1, 0));
    drop(call);
    assert_eq!((service.calls(), BUDGET.tokens()), (1, 1));
}

#[tokio::test]
async fn a_failed_response_is_dropped_before_the_delay() {
    let service = Scripted::new(&[Act::Status(503)]);
    let mut call = Box::pin(RetryLayer::new(POLICY).layer(service.clone()).oneshot(get()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    assert_eq!((service.calls(), service.live_bodies()), (1, 0));
}

/// An error of the application.
#[derive(Clone, Copy, Debug)]
struct Busy(bool);

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("busy")
    }
}

impl HttpError for Busy {
    fn class(&self, _: &Classifier) -> FailureClass {
        FailureClass::from(self.0)
    }
}

#[tokio::test]
async fn an_application_error_is_classified() {
    let _guard = testing::no_waits();
    for (passes, expected) in [(true, 3), (false, 1)] {
        let calls = Cell::new(0);
        let service = service_fn(|_: Request<String>| {
            calls.set(calls.get() + 1);
            ready(Err::<Response<()>, _>(Busy(passes)))
        });
        let error = RetryLayer::new(POLICY).layer(service).oneshot(get()).await;
        assert_eq!((error.expect_err("a failure").0, calls.get()), (passes, expected));
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_rejection_ends_the_call_unless_the_policy_waits() {
    // A wait uses up no attempt, so the deadline ends the waits.
    let waits = POLICY.wait_for_rejections(true).deadline(secs(10));
    for (policy, expected) in [(POLICY, 1), (waits, 3)] {
        let calls = Cell::new(0);
        let service = service_fn(|_: Request<String>| {
            calls.set(calls.get() + 1);
            let rejected = Rejected::new(RejectedKind::CircuitOpen, "inside", Some(secs(4)));
            ready(Err::<Response<()>, tower::BoxError>(rejected.into()))
        });
        let start = Instant::now();
        let error = RetryLayer::new(policy).layer(service).oneshot(post()).await;
        assert!(error.expect_err("a rejection").is::<Rejected>());
        assert_eq!((calls.get(), start.elapsed()), (expected, secs(4 * (expected - 1))));
    }
}

#[tokio::test]
async fn a_custom_backoff_and_a_service_in_another_task() {
    let _guard = testing::no_waits();
    let policy = RetryPolicy::new().backoff(|retry: u32| secs(u64::from(retry)));
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let retrying = RetryLayer::new(policy).layer(service.clone());
    let response = tokio::spawn(retrying.oneshot(get())).await.expect("no panic");
    assert_eq!(response.expect("a response").status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_initial_delay_passes_before_the_first_attempt() {
    let service = Scripted::new(&[Act::Status(503), Act::Status(200)]);
    let start = Instant::now();
    let layer = RetryLayer::new(POLICY.initial_delay(secs(5)));
    let call = layer.layer(service.clone()).oneshot(get());
    let call = tokio::spawn(call);
    tokio::time::sleep(secs(4)).await;
    assert_eq!(service.calls(), 0);
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    assert_eq!((service.calls(), start.elapsed()), (2, secs(5 + 1)));
}

#[tokio::test(start_paused = true)]
async fn a_call_in_its_initial_delay_holds_nothing_of_the_service() {
    let inner = tower::limit::ConcurrencyLimit::new(Scripted::new(&[Act::Status(200)]), 1);
    let mut service = RetryLayer::new(POLICY.initial_delay(secs(5))).layer(inner.clone());
    let delayed = tower::Service::call(service.ready().await.unwrap(), get());
    drop(service);
    let start = Instant::now();
    assert!(inner.oneshot(get()).await.is_ok());
    assert_eq!(start.elapsed(), secs(0));
    assert_eq!(delayed.await.unwrap().status(), 200);
    assert_eq!(start.elapsed(), secs(5));
}

#[tokio::test(start_paused = true)]
async fn the_initial_delay_counts_against_the_deadline() {
    let service = Scripted::new(&[Act::Status(503)]);
    let start = Instant::now();
    let policy = POLICY.attempts(10).initial_delay(secs(5)).deadline(secs(8));
    let response = RetryLayer::new(policy).layer(service.clone()).oneshot(get()).await;
    assert_eq!(response.unwrap().status(), 503);
    // At 5, 6 and 7 seconds.
    assert_eq!((service.calls(), start.elapsed()), (3, secs(7)));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_sent_again_is_sent_after_the_initial_delay() {
    let service = Scripted::new(&[Act::Status(503)]);
    let layer = RetryLayer::new(POLICY.initial_delay(secs(5))).replay(|_: &String| None);
    let start = Instant::now();
    let response = layer.layer(service.clone()).oneshot(get()).await;
    assert_eq!(response.unwrap().status(), 503);
    assert_eq!((service.calls(), start.elapsed()), (1, secs(5)));
}
