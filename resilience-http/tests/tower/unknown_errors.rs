//! Errors that the classifier does not know, and panics, under `CircuitBreakerLayer`.

use std::error::Error;
use std::fmt;
use std::future::{pending, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use resilience::http::CircuitBreakerLayer;
use resilience::{CircuitBreaker, CircuitState, FailureClass, Rejected, circuit_breaker, testing};
use tower::timeout::Timeout;
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

use crate::catch_panic::CatchPanic;
use crate::{get, secs};

type Res = Response<String>;

fn breaker() -> Arc<CircuitBreaker> {
    Arc::new(CircuitBreaker::new().failure_threshold(5))
}

#[derive(Debug)]
struct BackendDown;

impl fmt::Display for BackendDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("backend down")
    }
}

impl Error for BackendDown {}

/// Returns the state of a breaker after ten calls that fail with an error.
async fn state_after(
    layer: impl FnOnce(CircuitBreakerLayer) -> CircuitBreakerLayer,
    error: impl Fn() -> BoxError,
) -> CircuitState {
    let breaker = breaker();
    let service = service_fn(|_: Request<String>| ready(Err::<Res, BoxError>(error())));
    let guarded = layer(CircuitBreakerLayer::shared(Arc::clone(&breaker))).layer(service);
    for _ in 0..10 {
        assert!(guarded.clone().oneshot(get()).await.is_err());
    }
    breaker.state()
}

#[tokio::test]
async fn an_unknown_error_is_a_failure_as_with_the_attribute() {
    #[circuit_breaker(failure_threshold = 5, name = "unknown errors")]
    async fn call() -> Result<(), BoxError> {
        Err(Box::new(BackendDown))
    }
    assert_eq!(state_after(|it| it, || Box::new(BackendDown)).await, CircuitState::Open);
    assert_eq!(state_after(|it| it, || "down".into()).await, CircuitState::Open);
    let other = || io::Error::other(BackendDown).into();
    assert_eq!(state_after(|it| it, other).await, CircuitState::Open);
    for _ in 0..10 {
        assert!(call().await.is_err());
    }
    let breaker = circuit_breaker("unknown errors").expect("the function was called");
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn unknown_errors_can_be_declined() {
    let declined = |layer: CircuitBreakerLayer| layer.unknown_errors(FailureClass::permanent());
    assert_eq!(state_after(declined, || Box::new(BackendDown)).await, CircuitState::Closed);
    // A known failure still opens the circuit.
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused).into();
    assert_eq!(state_after(declined, refused).await, CircuitState::Open);
}

#[tokio::test]
async fn a_known_permanent_error_does_not_open_the_circuit() {
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied).into();
    assert_eq!(state_after(|it| it, denied).await, CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn timeouts_of_tower_and_of_tokio_are_failures() {
    let breaker = breaker();
    let hanging = service_fn(|_: Request<String>| pending::<Result<Res, BoxError>>());
    let limited = Timeout::new(hanging, secs(1));
    let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(limited);
    for _ in 0..10 {
        assert!(guarded.clone().oneshot(get()).await.is_err());
    }
    assert_eq!(breaker.state(), CircuitState::Open);

    let breaker = self::breaker();
    let elapsed = service_fn(|_: Request<String>| async {
        tokio::time::timeout(secs(1), pending::<()>()).await?;
        Ok::<Res, BoxError>(Response::default())
    });
    let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(elapsed);
    for _ in 0..10 {
        assert!(guarded.clone().oneshot(get()).await.is_err());
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn a_panic_that_an_outer_layer_catches_counts() {
    let breaker = breaker();
    let service = service_fn(|_: Request<String>| {
        Box::pin(async {
            tokio::task::yield_now().await;
            panic!("scripted panic");
            #[expect(unreachable_code, reason = "gives the block a type")]
            Ok::<Res, BoxError>(Response::default())
        })
    });
    let mut guarded = CatchPanic(CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service));
    for _ in 0..5 {
        let call = guarded.ready().await.expect("ready").call(get());
        assert_eq!(call.await.expect("a response").status(), 500);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn a_panic_inside_call_counts() {
    let breaker = breaker();
    let service = service_fn(|_: Request<String>| -> std::future::Ready<Result<Res, BoxError>> {
        panic!("scripted panic")
    });
    let mut guarded = CatchPanic(CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service));
    for _ in 0..5 {
        let call = guarded.ready().await.expect("ready").call(get());
        assert_eq!(call.await.expect("a response").status(), 500);
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// A service whose `poll_ready` panics, at the first poll or after a poll without an answer.
#[derive(Clone)]
struct UnreadyByPanic {
    waits_first: bool,
}

impl Service<Request<String>> for UnreadyByPanic {
    type Response = Res;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Res, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if std::mem::take(&mut self.waits_first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        panic!("scripted panic")
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn a_panic_of_poll_ready_counts() {
    for waits_first in [false, true] {
        let breaker = breaker();
        let service = UnreadyByPanic { waits_first };
        let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service);
        for calls in 1..=5 {
            let mut guarded = guarded.clone();
            let ready = tokio::spawn(async move { guarded.ready().await.map(drop) }).await;
            assert!(ready.is_err_and(|error| error.is_panic()), "the panic goes on");
            let expected = if calls < 5 { CircuitState::Closed } else { CircuitState::Open };
            assert_eq!(breaker.state(), expected);
        }
        // The open circuit rejects the next call, and asks no service.
        let rejected = guarded.oneshot(get()).await.unwrap_err();
        assert!(rejected.is::<Rejected>());
    }
}

#[tokio::test]
async fn a_trial_call_with_a_panic_of_poll_ready_fails() {
    for waits_first in [false, true] {
        let clock = testing::clock();
        let breaker = Arc::new(CircuitBreaker::new().failure_threshold(1).reset_timeout(secs(30)));
        breaker.trip();
        clock.advance(secs(30));
        let service = UnreadyByPanic { waits_first };
        let guarded = CircuitBreakerLayer::shared(Arc::clone(&breaker)).layer(service);
        let mut guarded = CatchPanic(guarded);
        let call = guarded.ready().await.expect("the gate decides first").call(get());
        let mut call = Box::pin(call);
        assert_eq!(call.as_mut().await.expect("a response").status(), 500);
        // The future of the call is alive, and its trial call is over.
        assert_eq!(breaker.state(), CircuitState::Open);
        drop(call);
        assert_eq!(breaker.snapshot().reopened, 1);
    }
}
