//! An open circuit and the readiness of the service below.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use http::Request;
use resilience::http::{BreakersByHost, CircuitBreakerLayer};
use resilience::{CircuitBreaker, CircuitState, RejectedKind};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

use crate::mocks::{answer, is_pending, kind, pair, poll_once, soon};
use crate::scripted::{Act, Scripted};
use crate::{get, secs};

const OPEN: Option<RejectedKind> = Some(RejectedKind::CircuitOpen);

fn breaker() -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new().failure_threshold(1))
}

fn layer(breaker: &Arc<CircuitBreaker>) -> CircuitBreakerLayer {
    CircuitBreakerLayer::shared(Arc::clone(breaker))
}

fn per_host_layer() -> CircuitBreakerLayer<BreakersByHost> {
    CircuitBreakerLayer::per_host(10, || CircuitBreaker::new().failure_threshold(1))
}

fn to(host: &str) -> Request<String> {
    Request::get(format!("http://{host}/")).body(String::new()).expect("a request")
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_rejects_while_the_service_is_not_ready() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let mut service = layer(&breaker).layer(mock);
    for open in [CircuitBreaker::trip, CircuitBreaker::force_open] {
        breaker.reset();
        open(&breaker);
        let call = async { service.ready().await?.call(get()).await };
        assert_eq!(kind(soon(call).await), OPEN);
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_calls_under_a_concurrency_limit_do_not_delay_a_rejection() {
    let (service, breaker) = (Scripted::new(&[Act::Hang]), breaker());
    let guarded =
        ServiceBuilder::new().layer(layer(&breaker)).concurrency_limit(2).service(service.clone());
    let hanging = [(); 2].map(|()| tokio::spawn(guarded.clone().oneshot(get())));
    tokio::task::yield_now().await;
    assert_eq!(service.calls(), 2);
    breaker.trip();
    for _ in 0..10 {
        assert_eq!(kind(soon(guarded.clone().oneshot(get())).await), OPEN);
    }
    assert_eq!(service.calls(), 2);
    for call in hanging {
        call.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_the_service_is_rejected_when_the_circuit_opens() {
    for per_host in [false, true] {
        let (mock, mut handle) = pair();
        handle.allow(1);
        let breaker = breaker();
        let service = if per_host {
            BoxCloneService::new(per_host_layer().layer(mock))
        } else {
            BoxCloneService::new(layer(&breaker).layer(mock))
        };
        let first = tokio::spawn(service.clone().oneshot(get()));
        tokio::task::yield_now().await;
        let second = tokio::spawn(service.clone().oneshot(get()));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        answer(&mut handle, 503).await;
        assert_eq!(soon(first).await.unwrap().unwrap().status(), 503);
        assert_eq!(kind(soon(second).await.unwrap()), OPEN, "per host: {per_host}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_the_service_notices_a_forced_opening_at_the_next_call() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let service = layer(&breaker).layer(mock);
    let waiting = tokio::spawn(service.clone().oneshot(get()));
    tokio::task::yield_now().await;
    breaker.force_open();
    assert_eq!(kind(soon(service.clone().oneshot(get())).await), OPEN);
    assert_eq!(kind(soon(waiting).await.unwrap()), OPEN);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_call_gives_back_the_permit_of_poll_ready() {
    let (service, breaker) = (Scripted::new(&[Act::Status(200)]), breaker());
    let limited = ConcurrencyLimit::new(service, 1);
    let guarded = layer(&breaker).layer(limited);
    let mut pooled = guarded.clone();
    pooled.ready().await.unwrap();
    breaker.force_open();
    assert_eq!(kind(pooled.call(get()).await), OPEN);
    breaker.force_close();
    // The pooled clone lives on and holds nothing.
    assert!(soon(guarded.clone().oneshot(get())).await.is_ok());
    // The pooled clone is usable, too.
    assert!(soon(async { pooled.ready().await?.call(get()).await }).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_idle_clone_gives_back_its_permit_at_the_next_poll_of_an_open_circuit() {
    let (service, breaker) = (Scripted::new(&[Act::Status(200)]), breaker());
    let guarded = layer(&breaker).layer(ConcurrencyLimit::new(service, 1));
    let mut pooled = guarded.clone();
    pooled.ready().await.unwrap();
    breaker.force_open();
    pooled.ready().await.unwrap();
    breaker.force_close();
    assert!(soon(guarded.oneshot(get())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_queued_clone_leaves_the_queue_of_the_service_when_the_circuit_opens() {
    let (service, breaker) = (Scripted::new(&[Act::Status(200)]), breaker());
    let guarded = layer(&breaker).layer(ConcurrencyLimit::new(service, 1));
    let (mut holder, mut queued) = (guarded.clone(), guarded.clone());
    holder.ready().await.unwrap();
    assert!(poll_once(|cx| queued.poll_ready(cx)).await.is_pending());
    breaker.force_open();
    assert!(poll_once(|cx| queued.poll_ready(cx)).await.is_ready());
    breaker.force_close();
    drop(holder);
    // The permit goes to a caller, not to the idle clone.
    assert!(soon(guarded.oneshot(get())).await.is_ok());
    drop(queued);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_rejects_while_the_trial_call_holds_the_service() {
    let (service, breaker) = (Scripted::new(&[Act::Hang]), breaker());
    let guarded = layer(&breaker).layer(ConcurrencyLimit::new(service.clone(), 1));
    breaker.trip();
    breaker.probe();
    let trial = tokio::spawn(guarded.clone().oneshot(get()));
    tokio::task::yield_now().await;
    assert_eq!((service.calls(), breaker.state()), (1, CircuitState::HalfOpen));
    assert_eq!(kind(soon(guarded.clone().oneshot(get())).await), OPEN);
    trial.abort();
}

#[tokio::test(start_paused = true)]
async fn a_trial_call_waits_for_the_service_and_a_dropped_one_gives_its_permit_back() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let service = layer(&breaker).layer(mock);
    breaker.trip();
    breaker.probe();
    let trial = tokio::spawn(service.clone().oneshot(get()));
    tokio::task::yield_now().await;
    assert_eq!(kind(soon(service.clone().oneshot(get())).await), OPEN, "one trial is under way");
    trial.abort();
    assert!(trial.await.is_err());
    let trial = tokio::spawn(service.oneshot(get()));
    tokio::task::yield_now().await;
    handle.allow(1);
    answer(&mut handle, 200).await;
    assert_eq!(soon(trial).await.unwrap().unwrap().status(), 200);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_closed_circuit_passes_the_readiness_of_the_service_on() {
    for per_host in [false, true] {
        let (mock, mut handle) = pair();
        handle.allow(0);
        let mut service = if per_host {
            BoxCloneService::new(per_host_layer().layer(mock))
        } else {
            BoxCloneService::new(layer(&breaker()).layer(mock))
        };
        assert!(is_pending(service.ready()).await);
        handle.allow(1);
        let call = soon(service.ready()).await.unwrap().call(get());
        answer(&mut handle, 200).await;
        assert_eq!(soon(call).await.unwrap().status(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_before_the_first_poll() {
    let (mock, mut handle) = pair();
    let mut service = layer(&breaker()).layer(mock);
    let call = service.ready().await.unwrap().call(get());
    answer(&mut handle, 200).await;
    assert_eq!(call.await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn load_shed_above_the_layer_sheds_while_the_circuit_is_closed() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let mut service = LoadShed::new(layer(&breaker).layer(mock));
    let error = soon(async { service.ready().await?.call(get()).await }).await.unwrap_err();
    assert!(error.is::<tower::load_shed::error::Overloaded>());
    breaker.trip();
    assert_eq!(kind(soon(async { service.ready().await?.call(get()).await }).await), OPEN);
}

#[tokio::test(start_paused = true)]
async fn load_shed_below_the_layer_does_not_open_the_circuit() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let mut service = layer(&breaker).layer(LoadShed::new(mock));
    for _ in 0..10 {
        let error = soon(async { service.ready().await?.call(get()).await }).await.unwrap_err();
        assert!(error.is::<tower::load_shed::error::Overloaded>());
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_buffer_above_the_layer_is_not_blocked_by_an_open_circuit() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let breaker = breaker();
    let service = Buffer::new(layer(&breaker).layer(mock), 4);
    let waiting = tokio::spawn(service.clone().oneshot(get()));
    tokio::task::yield_now().await;
    breaker.trip();
    // The buffer waits for the service with the first call. The next rejection wakes the buffer.
    let other = layer(&breaker).layer(pair().0);
    assert_eq!(kind(soon(other.oneshot(get())).await), OPEN);
    assert_eq!(kind(soon(waiting).await.unwrap()), OPEN);
    assert_eq!(kind(soon(service.clone().oneshot(get())).await), OPEN);
    // Closed again, the buffer works.
    breaker.force_close();
    let call = tokio::spawn(service.oneshot(get()));
    tokio::task::yield_now().await;
    handle.allow(1);
    answer(&mut handle, 200).await;
    assert!(soon(call).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_buffer_below_the_layer_gets_its_slot_back() {
    let (mock, mut handle) = pair();
    let breaker = breaker();
    let buffer: Buffer<_, _> = Buffer::new(mock, 1);
    let guarded = layer(&breaker).layer(buffer);
    let mut pooled = guarded.clone();
    pooled.ready().await.unwrap();
    breaker.force_open();
    assert_eq!(kind(pooled.call(get()).await), OPEN);
    breaker.force_close();
    let call = tokio::spawn(guarded.oneshot(get()));
    answer(&mut handle, 200).await;
    assert!(soon(call).await.unwrap().is_ok());
    drop(pooled);
}

#[tokio::test(start_paused = true)]
async fn with_a_breaker_per_host_an_open_host_is_rejected_and_others_wait_for_the_service() {
    let (mock, mut handle) = pair();
    handle.allow(1);
    let make = || CircuitBreaker::new().failure_threshold(1).reset_timeout(secs(30));
    let mut service = CircuitBreakerLayer::per_host(10, make).layer(mock);
    let call = service.ready().await.unwrap().call(to("down.example"));
    answer(&mut handle, 503).await;
    assert_eq!(call.await.unwrap().status(), 503);
    // The service is not ready any more.
    let call = async { service.ready().await?.call(to("down.example")).await };
    assert_eq!(kind(soon(call).await), OPEN);
    let mut other = tokio::spawn(service.clone().oneshot(to("well.example")));
    assert!(is_pending(&mut other).await);
    handle.allow(1);
    answer(&mut handle, 200).await;
    assert_eq!(soon(other).await.unwrap().unwrap().status(), 200);
    // Once the host works again, the layer passes the readiness on.
    tokio::time::advance(secs(30)).await;
    handle.allow(1);
    let call = soon(service.ready()).await.unwrap().call(to("down.example"));
    answer(&mut handle, 200).await;
    assert!(soon(call).await.is_ok());
    assert!(is_pending(service.ready()).await);
}

#[tokio::test(start_paused = true)]
async fn errors_of_poll_ready_open_the_circuit() {
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(3));
    let service = Scripted::new(&[Act::Status(200)]);
    service.fail_readiness();
    let mut guarded = layer(&breaker).layer(service.clone());
    for _ in 0..3 {
        let error = guarded.ready().await.map(drop).unwrap_err();
        assert_eq!(error.to_string(), "service failed");
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    // The broken service is not asked again.
    let call: Result<_, BoxError> = async { guarded.ready().await?.call(get()).await }.await;
    assert_eq!(kind(call), OPEN);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_poll_ready_inside_a_call_counts() {
    let breaker = breaker();
    let service = Scripted::new(&[Act::Status(200)]);
    let guarded = layer(&breaker).layer(service.clone());
    breaker.trip();
    breaker.probe();
    service.fail_readiness();
    assert!(guarded.oneshot(get()).await.is_err());
    assert_eq!((service.calls(), breaker.state()), (0, CircuitState::Open));
}

#[tokio::test(start_paused = true)]
async fn clones_in_a_pool_survive_an_outage() {
    let (service, breaker) = (Scripted::new(&[Act::Status(503), Act::Status(200)]), breaker());
    let guarded = layer(&breaker).layer(ConcurrencyLimit::new(service.clone(), 2));
    let mut pool = vec![guarded; 5];
    for handle in &mut pool {
        let _ = soon(async { handle.ready().await?.call(get()).await }).await;
    }
    assert_eq!((service.calls(), breaker.state()), (1, CircuitState::Open));
    tokio::time::advance(secs(30)).await;
    for handle in &mut pool {
        let call = async { handle.ready().await?.call(get()).await };
        assert_eq!(soon(call).await.unwrap().status(), 200);
    }
    assert_eq!(service.calls(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_call_inside_its_future_is_rejected_when_the_circuit_of_its_host_opens() {
    let (mock, mut handle) = pair();
    handle.allow(2);
    let make = || CircuitBreaker::new().failure_threshold(1);
    let mut service = CircuitBreakerLayer::per_host(10, make).layer(mock);
    let first = service.ready().await.unwrap().call(to("first.example"));
    let second = tokio::spawn(service.ready().await.unwrap().call(to("second.example")));
    answer(&mut handle, 503).await;
    assert!(soon(first).await.is_ok());
    // The circuit of the first host is open, so this call waits for the service in its future.
    let mut waiting = tokio::spawn(service.ready().await.unwrap().call(to("second.example")));
    assert!(is_pending(&mut waiting).await);
    answer(&mut handle, 503).await;
    assert!(soon(second).await.unwrap().is_ok());
    assert_eq!(kind(soon(waiting).await.unwrap()), OPEN);
}

#[tokio::test(start_paused = true)]
async fn two_layers_with_one_breaker_close_the_circuit() {
    let breaker = breaker();
    let service = ServiceBuilder::new()
        .layer(layer(&breaker))
        .layer(layer(&breaker))
        .service(Scripted::new(&[Act::Status(200)]));
    breaker.trip();
    assert_eq!(kind(service.clone().oneshot(get()).await), OPEN);
    tokio::time::sleep(secs(60)).await;
    assert!(service.oneshot(get()).await.is_ok());
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// The rejections of one circuit are no news for the calls under another.
#[tokio::test(start_paused = true)]
async fn rejections_of_one_circuit_wake_no_calls_that_wait_under_another() {
    let (mock, mut handle) = pair();
    handle.allow(0);
    let [open, closed] = [breaker(), breaker()];
    open.force_open();
    let rejecting = layer(&open).layer(mock.clone());
    let polls = Arc::new(AtomicUsize::new(0));
    let (call, counted) = (layer(&closed).layer(mock).oneshot(get()), Arc::clone(&polls));
    let waiting = tokio::spawn(async move {
        let mut call = pin!(call);
        poll_fn(|cx| {
            counted.fetch_add(1, Relaxed);
            call.as_mut().poll(cx)
        })
        .await
    });
    tokio::task::yield_now().await;
    for _ in 0..10 {
        assert_eq!(kind(soon(rejecting.clone().oneshot(get())).await), OPEN);
        tokio::task::yield_now().await;
    }
    assert_eq!(polls.load(Relaxed), 1);
    closed.force_open();
    assert_eq!(kind(soon(layer(&closed).layer(pair().0).oneshot(get())).await), OPEN);
    assert_eq!(kind(soon(waiting).await.unwrap()), OPEN);
}
