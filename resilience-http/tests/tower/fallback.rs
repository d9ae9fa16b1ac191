//! `FallbackLayer`.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::io::ErrorKind::PermissionDenied;
use std::sync::Arc;

use http::Response;
use resilience::http::{CircuitBreakerLayer, Classifier, FallbackLayer, RetryLayer};
use resilience::{CircuitBreaker, Rejected, testing};
use tower::{BoxError, Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::mocks::{Res, pair, response, soon};
use crate::scripted::{Act, Scripted};
use crate::{POLICY, get};

#[tokio::test]
async fn an_error_is_replaced_and_a_response_is_not() {
    let expected =
        [(Act::Fail(PermissionDenied), 299), (Act::Status(503), 503), (Act::Status(200), 200)];
    for (act, expected) in expected {
        let statuses = FallbackLayer::new(|_failed| ready(Ok::<u16, io::Error>(299)));
        let service = Scripted::new(&[act]).map_response(|response| response.status().as_u16());
        assert_eq!(statuses.layer(service).oneshot(get()).await.unwrap(), expected, "{act:?}");
    }
}

#[tokio::test]
async fn with_a_classifier_a_retryable_response_is_replaced() {
    let replacement = |failed: Result<Res, BoxError>| async move {
        let mut replaced = response(200);
        *replaced.body_mut() = format!("instead of {}", failed?.status().as_u16());
        Ok(replaced)
    };
    let layer = FallbackLayer::new(replacement).classifier(Classifier::new());
    for (status, expected) in
        [(503, "instead of 503"), (429, "instead of 429"), (404, ""), (200, "")]
    {
        let service = service_fn(move |_| ready(Ok::<_, BoxError>(response(status))));
        let out = layer.clone().layer(service).oneshot(get()).await.unwrap();
        assert_eq!(out.body(), expected);
    }
    // A function that cannot help returns the error.
    let service = service_fn(|_| ready(Err::<Res, BoxError>("down".into())));
    let error = layer.layer(service).oneshot(get()).await.unwrap_err();
    assert_eq!(error.to_string(), "down");
}

#[tokio::test]
async fn on_top_of_a_stack_rejections_and_exhausted_retries_are_replaced() {
    let _guard = testing::no_waits();
    let breaker = Arc::new(CircuitBreaker::new().failure_threshold(3));
    let service = Scripted::new(&[Act::Status(503)]);
    let inner =
        service.clone().map_response(|response| Response::from_parts(response.into_parts().0, ()));
    let stack = ServiceBuilder::new()
        .layer(
            FallbackLayer::new(|failed: Result<Response<()>, BoxError>| {
                let text = match failed {
                    Ok(response) => response.status().as_u16(),
                    Err(error) if error.is::<Rejected>() => 1,
                    Err(_) => 2,
                };
                let mut replaced = Response::new(());
                replaced.extensions_mut().insert(text);
                ready(Ok(replaced))
            })
            .classifier(Classifier::new()),
        )
        .layer(RetryLayer::new(POLICY))
        .layer(CircuitBreakerLayer::shared(Arc::clone(&breaker)))
        .service(inner);
    let replaced = stack.clone().oneshot(get()).await.unwrap();
    assert_eq!(replaced.extensions().get::<u16>(), Some(&503));
    let replaced = stack.oneshot(get()).await.unwrap();
    assert_eq!((replaced.extensions().get::<u16>(), service.calls()), (Some(&1), 3));
}

#[tokio::test]
async fn the_replacement_may_take_time_and_the_request_is_sent_before_the_first_poll() {
    let slow = |_failed| async {
        tokio::task::yield_now().await;
        Ok::<_, BoxError>(response(203))
    };
    let (mock, mut handle) = pair();
    let mut service = FallbackLayer::new(slow).layer(mock);
    let call = tower::Service::call(service.ready().await.unwrap(), get());
    let (_, send) = soon(handle.next_request()).await.unwrap();
    send.send_error("down");
    assert_eq!(call.await.unwrap().status(), 203);
}

#[tokio::test]
async fn any_service_can_have_a_fallback() {
    let layer = FallbackLayer::new(|_: Result<u32, &str>| ready(Ok(7)));
    assert_eq!(layer.layer(service_fn(|()| ready(Err("down")))).oneshot(()).await, Ok(7));
    let never = FallbackLayer::new(|out: Result<u32, Infallible>| ready(out));
    assert_eq!(never.layer(service_fn(|()| ready(Ok(1)))).oneshot(()).await, Ok(1));
}
