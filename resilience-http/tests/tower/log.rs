//! Events of the layers.

#[path = "../../../tests/tracing/subscriber.rs"]
mod subscriber;

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::future::Future;

use resilience::http::{CircuitBreakerLayer, RetryLayer, TimeoutLayer};
use resilience::{CircuitBreaker, testing};
use tower::{Layer, ServiceExt};
use tracing::Event;
use tracing::field::{Field, Visit};

use self::subscriber::OnEvent;
use crate::scripted::{Act, Scripted};
use crate::{POLICY, get, post, secs};

thread_local!(static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            "location" => Ok(()),
            name => write!(self.0, " {name}={value:?}"),
        };
        written.expect("a string accepts writes");
    }
}

fn write_line(event: &Event<'_>) {
    let mut line = Line(event.metadata().level().to_string());
    event.record(&mut line);
    LOG.with_borrow_mut(|log| log.push(line.0));
}

/// Returns the events of a call under a virtual clock.
fn logged(call: impl Future) -> Vec<String> {
    let _clock = testing::clock();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(OnEvent(write_line), || runtime.block_on(call));
    LOG.take()
}

#[test]
fn a_retry_and_a_give_up() {
    let service = Scripted::new(&[Act::After(503, "7"), Act::Fail(std::io::ErrorKind::TimedOut)]);
    let layer = RetryLayer::new(POLICY.attempts(2).name("shop"));
    assert_eq!(
        logged(layer.layer(service).oneshot(get())),
        [
            "WARN retrying function=\"shop\" attempt=1 max_attempts=2 \
             error=503 Service Unavailable kind=Throttled effect=Unknown elapsed_ms=0 \
             delay_ms=7000 delay_source=server",
            "ERROR giving up: all attempts are used up function=\"shop\" attempt=2 max_attempts=2 \
             error=timed out kind=Transient effect=Unknown elapsed_ms=7000 \
             stop_reason=\"attempts\"",
        ]
    );
}

#[test]
fn stop_reasons() {
    let reason = |layer: RetryLayer, request| {
        let lines = logged(layer.layer(Scripted::new(&[Act::Status(503)])).oneshot(request));
        let [.., last] = &*lines else { panic!("no event") };
        last.split_once("stop_reason=").expect("a reason").1.to_owned()
    };
    let layer = || RetryLayer::new(POLICY);
    assert_eq!(reason(layer(), post()), "\"not_idempotent\"");
    assert_eq!(reason(layer(), get()), "\"attempts\"");
}

#[test]
fn a_body_that_cannot_be_sent_again() {
    let once = RetryLayer::new(POLICY).replay(|_: &String| None);
    assert_eq!(
        logged(once.layer(Scripted::new(&[Act::Status(503)])).oneshot(get())),
        ["ERROR giving up: the body of the request cannot be sent again function=\"retry\" \
          attempt=1 max_attempts=3 error=503 Service Unavailable kind=Transient effect=Unknown \
          elapsed_ms=0 stop_reason=\"body_not_replayable\""]
    );
    // The log omits the body if another reason comes first, or if the call succeeds.
    for (act, expected) in [(Act::Status(404), 0), (Act::Status(200), 0)] {
        let once = RetryLayer::new(POLICY).replay(|_: &String| None);
        let lines = logged(once.layer(Scripted::new(&[act])).oneshot(get()));
        assert_eq!(lines.len(), expected, "{lines:?}");
    }
    let last = RetryLayer::new(POLICY.attempts(1)).replay(|_: &String| None);
    let lines = logged(last.layer(Scripted::new(&[Act::Status(503)])).oneshot(get()));
    assert!(lines[0].ends_with("stop_reason=\"attempts\""), "{lines:?}");
}

#[test]
fn rejected_calls() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new().name("shop");
    BREAKER.force_open();
    let service = Scripted::new(&[Act::Hang]);
    let guarded = CircuitBreakerLayer::new(&BREAKER).layer(service.clone());
    assert_eq!(
        logged(guarded.oneshot(get())),
        ["DEBUG call rejected: circuit open function=\"shop\" kind=\"circuit_open\""]
    );
    let limited = TimeoutLayer::new(secs(0)).layer(service);
    assert_eq!(
        logged(limited.oneshot(get())),
        ["DEBUG call rejected: timed out function=\"timeout\" kind=\"timed_out\" elapsed_ms=0"]
    );
}
