//! A keyed request whose first attempt still runs on the server.

use std::cell::Cell;

use http::{Request, Response};
use resilience::http::{RetryLayer, TimeoutLayer};
use resilience::{RetryPolicy, testing};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};

use crate::effects_of_a_test::Effects;
use crate::post;

/// The time the handler of the first request needs.
const HANDLER: Duration = Duration::from_millis(700);

/// Returns the time until the response, for a server that answers 409 with this header while the
/// first request runs. The client gives up each attempt after 300 ms.
async fn time_until_response(retry_after: Option<&'static str>) -> Duration {
    let start = Instant::now();
    let (requests, effects) = (Cell::new(0), Effects::default());
    let server = service_fn(|request: Request<String>| {
        assert!(request.headers().contains_key("idempotency-key"));
        let is_first = requests.replace(requests.get() + 1) == 0;
        if is_first {
            effects.increment();
        }
        async move {
            let end = start + HANDLER;
            if is_first {
                sleep_until(end).await;
            } else if Instant::now() < end {
                let mut in_progress = Response::builder().status(409);
                if let Some(after) = retry_after {
                    in_progress = in_progress.header("retry-after", after);
                }
                return Ok::<_, BoxError>(in_progress.body(()).expect("a response"));
            }
            Ok(Response::new(()))
        }
    });
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryPolicy::new().attempts(5)).idempotency_keys(true))
        .layer(TimeoutLayer::new(Duration::from_millis(300)))
        .service(server);
    assert_eq!(service.oneshot(post()).await.expect("a response").status(), 200);
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_409_is_repeated_after_short_delays_that_grow() {
    for draw in [0.0, 0.5, 1.0] {
        let _draws = testing::draws([draw]);
        for retry_after in [None, Some("0"), Some("1")] {
            let time = time_until_response(retry_after).await;
            assert!(time >= HANDLER && time < Duration::from_millis(1500), "{draw} {time:?}");
        }
    }
}
